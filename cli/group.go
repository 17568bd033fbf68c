package cli

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// group runs a command's parts. The first to fail, or a call of stop, ends all.
type group struct {
	*errgroup.Group
	ctx  context.Context
	stop context.CancelFunc
}

func newGroup(ctx context.Context) group {
	ctx, stop := context.WithCancel(ctx)
	g, ctx := errgroup.WithContext(ctx)
	return group{g, ctx, stop}
}
