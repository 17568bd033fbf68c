package ingest

import (
	"context"

	"go.uber.org/zap"

	"relay/ingest/pcpin"
	"relay/relay/pcp"
	"relay/relay/refusal"
)

// PCPPull fetches a channel of PeerCast, from those who have it, for as long as it takes.
type PCPPull struct {
	From     pcpin.Address
	Session  pcp.ID // of this program in PeerCast; zero for a random one
	Agent    string // the name and version of this program
	Open     Opener
	Told     func(pcpin.Told) // is given what the broadcaster says of the channel; nil for nobody
	Watching func() int       // how many watch here, which the broadcaster is told; nil for 0
	Refused  *refusal.Counts  // of hosts that are not dialled, and of bytes that are no PCP; nil for none
	Log      *zap.Logger      // nil for none
}

// Run fetches until ctx ends, and then returns nil. That the first round brings nothing is an
// error; after that, lost connections are not.
func (p *PCPPull) Run(ctx context.Context) error {
	pull := pcpin.Pull{
		From: p.From, Session: p.Session, Agent: p.Agent, Told: p.Told, Watching: p.Watching, Refused: p.Refused, Log: p.Log,
		Trouble: once(logger(p.Log), p.From.Tip),
		Open: func() (pcpin.Sink, error) {
			s, err := p.Open()
			if err != nil {
				return nil, err
			}
			s.gathers = true
			return s, nil
		},
	}
	return pull.Run(ctx)
}
