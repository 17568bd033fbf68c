package ingest

import (
	"context"

	"go.uber.org/zap"

	"relay/ingest/flv"
	"relay/ingest/rtspin"
)

// RTSPPull fetches what a camera films and connects again when it breaks.
type RTSPPull struct {
	From rtspin.Address
	Open Opener
	Log  *zap.Logger // nil for none
}

// Run fetches until ctx ends, and then returns nil. That the first attempt brings nothing is an error, an
// [rtspin.Error]; after that, broken connections are not.
func (r *RTSPPull) Run(ctx context.Context) error {
	log := logger(r.Log)
	p := pull{from: r.From.Host(), open: r.Open, log: log, fetch: func(ctx context.Context, take func(flv.Tag) error) error {
		return rtspin.Fetch(ctx, r.From, log, take)
	}}
	return p.run(ctx)
}
