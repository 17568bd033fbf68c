//go:build lean

package station

import (
	"context"

	"golang.org/x/sync/errgroup"

	"relay/cli/fault"
)

// openRTSP says that there is no RTSP in this program.
func (s *Station) openRTSP() error {
	if s.cfg.RTSP.Addr == "" {
		return nil
	}
	return fault.Usage("take the released program, or build it without the tag lean; or leave --rtsp out", "this program was built without RTSP")
}

func (s *Station) serveRTSP() {}

func (s *Station) runRTSP(context.Context, *errgroup.Group) {}
