package station

import (
	"context"

	"golang.org/x/sync/errgroup"

	"relay/playback/rtspout"
)

// openRTSP opens the port for players over RTSP, if there is to be one.
func (s *Station) openRTSP() (err error) {
	if s.cfg.RTSP.Addr != "" {
		s.rtspAt, err = s.cfg.RTSP.listen(s.t)
	}
	return err
}

// runRTSP serves until ctx ends. Whoever may watch over HTTP may do so there.
func (s *Station) runRTSP(ctx context.Context, g *errgroup.Group) {
	if s.rtsp != nil {
		g.Go(func() error { return s.rtsp.Run(ctx, s.rtspAt) })
	}
}

// serveRTSP makes the server, once there is one for players.
func (s *Station) serveRTSP() {
	if s.rtspAt != nil {
		s.rtsp = rtspout.New(rtspout.Config{Players: s.players, Own: s.Node.Near, Log: s.log})
	}
}
