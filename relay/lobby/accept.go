package lobby

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// acceptPause is how long to wait after accepting failed, as it does when the process has no file left.
const acceptPause = 100 * time.Millisecond

// Accept accepts connections on ln, which it closes, until ctx ends, and then returns nil; any other end of the
// listener is an error. each has a goroutine for every connection, and a context that ends with Accept, which waits for
// all of them; failed hears of errors after which it goes on.
func Accept(ctx context.Context, ln net.Listener, failed func(error), each func(context.Context, net.Conn)) error {
	ctx, cancel := context.WithCancel(ctx)
	var conns sync.WaitGroup
	defer conns.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	defer ln.Close()
	for {
		conn, err := ln.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept: %w", err)
		case err != nil:
			failed(err)
			select {
			case <-time.After(acceptPause):
			case <-ctx.Done():
				return nil
			}
			continue
		}
		conns.Go(func() { each(ctx, conn) }) // ends soon after ctx
	}
}
