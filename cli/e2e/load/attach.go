//go:build e2e && linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

const (
	// attaching is how many viewers come at a time.
	attaching = 32
	// replyTime is how long a server may take to answer a viewer.
	replyTime = 10 * time.Second
	// maxHead bounds the head of an HTTP answer, in bytes.
	maxHead = 4096
)

// visit lets the viewer of that number in. One that reads for itself does until ctx ends.
type visit func(ctx context.Context, a *audience, number int) error

// watching are viewers of an address.
func watching(at string) visit {
	return func(_ context.Context, a *audience, _ int) error {
		v, err := view(at, a.sent)
		if err != nil {
			return fmt.Errorf("a viewer of %s: %w", at, err)
		}
		return a.any().add(v)
	}
}

// attach lets n viewers in.
func (a *audience) attach(ctx context.Context, n int, come visit) error {
	var g errgroup.Group
	g.SetLimit(attaching)
	for i := range n {
		g.Go(func() error { return come(ctx, a, i) })
	}
	return g.Wait()
}

// join lets n viewers of an address in, one after the other and evenly in a time, and notes what
// each has to wait for its first key frame from the moment before it connects. It leaves then.
func (a *audience) join(ctx context.Context, n int, within time.Duration, at string) error {
	for start, i := now(), 0; i < n; i++ {
		if err := pause(ctx, start+within*time.Duration(i)/time.Duration(n)-now()); err != nil {
			return nil // the run has ended
		}
		waited, err := joinOnce(at, a.sent)
		if err != nil {
			return fmt.Errorf("one more viewer of %s: %w", at, err)
		}
		a.mu.Lock()
		a.joins = append(a.joins, waited)
		a.mu.Unlock()
	}
	return nil
}

// joinOnce reads on a thread of its own, so that it does not wait for the crowd.
func joinOnce(at string, h *history) (time.Duration, error) {
	asked := now()
	v, err := view(at, h)
	if err != nil {
		return 0, err
	}
	defer unix.Close(v.fd)
	for buf := make([]byte, readSize); !v.check.begun; {
		n, err := socket(v.fd).Read(buf)
		if err != nil {
			return 0, err
		}
		if err := v.parse.feed(buf[:n], func(int) {}); err != nil {
			return 0, err
		}
	}
	return now() - asked, nil
}

// burst lets n guests of an address in, evenly in a second.
func (a *audience) burst(ctx context.Context, n int, at string) error {
	g, ctx := errgroup.WithContext(ctx)
	for start, i := now(), 0; i < n; i++ {
		if err := pause(ctx, start+time.Second*time.Duration(i)/time.Duration(n)-now()); err != nil {
			break
		}
		g.Go(func() error {
			asked := now()
			v, err := view(at, a.sent)
			if err != nil {
				return fmt.Errorf("a guest of %s: %w", at, err)
			}
			v.guest = asked
			return a.any().add(v)
		})
	}
	return g.Wait()
}

// stall lets n viewers of an address in that take nothing of what they asked for. They stay until
// leave is called.
func (a *audience) stall(n int, at string) (leave func(), err error) {
	var mu sync.Mutex
	var all []int
	var g errgroup.Group
	g.SetLimit(attaching)
	for range n {
		g.Go(func() error {
			v, err := view(at, a.sent)
			if err != nil {
				return fmt.Errorf("a viewer of %s that takes nothing: %w", at, err)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, v.fd)
			return nil
		})
	}
	err = g.Wait()
	return func() {
		for _, fd := range all {
			unix.Close(fd)
		}
	}, err
}

// view connects one viewer of an http:// or rtmp:// address.
func view(at string, h *history) (*viewer, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, err
	}
	s, err := dial(u.Host)
	if err != nil {
		return nil, err
	}
	v := &viewer{fd: int(s), check: &check{sent: h}}
	if u.Scheme == "rtmp" {
		err = v.askRTMP(s, at)
	} else {
		err = v.askHTTP(s, u)
	}
	if err != nil {
		unix.Close(v.fd)
		return nil, err
	}
	return v, nil
}

func (v *viewer) askRTMP(s socket, at string) error {
	a, err := parseRTMP(at)
	if err != nil {
		return err
	}
	p := newRTMPParser(v.check)
	v.parse, v.check.retimed = p, true
	return a.ask(s, p, true)
}

func (v *viewer) askHTTP(s socket, u *url.URL) error {
	switch {
	case strings.HasSuffix(u.Path, ".mp4"):
		v.check.frames = true
		v.parse = &mp4Parser{check: v.check}
	case strings.HasSuffix(u.Path, ".ts"):
		v.check.frames, v.check.annexB = true, true
		v.parse = newTSParser(v.check)
	default:
		v.parse = &flvParser{check: v.check}
	}
	if _, err := fmt.Fprintf(s, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", u.RequestURI(), u.Host); err != nil {
		return err
	}
	head, buf := []byte(nil), make([]byte, maxHead)
	for len(head) < maxHead {
		n, err := s.Read(buf)
		if err != nil {
			return err
		}
		head = append(head, buf[:n]...)
		first, media, ok := bytes.Cut(head, []byte("\r\n\r\n"))
		if !ok {
			continue
		}
		if !bytes.HasPrefix(first, []byte("HTTP/1.1 200 ")) {
			return fmt.Errorf("the server answers %q", head)
		}
		return v.parse.feed(media, func(int) {})
	}
	return fmt.Errorf("no HTTP answer within %d bytes", maxHead)
}

// socket is a blocking TCP connection: epoll wants no other than the descriptor.
type socket int

func dial(addr string) (socket, error) {
	a, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		return 0, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	patience := unix.NsecToTimeval(int64(replyTime))
	ip, _ := netip.AddrFromSlice(a.IP.To4())
	for _, err := range []error{
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience),
		unix.Connect(fd, &unix.SockaddrInet4{Port: a.Port, Addr: ip.As4()}),
	} {
		if err != nil {
			unix.Close(fd)
			return 0, err
		}
	}
	return socket(fd), nil
}

// Read implements io.Reader.
func (s socket) Read(p []byte) (int, error) {
	for {
		n, err := unix.Read(int(s), p)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, fmt.Errorf("nothing came within %v", replyTime)
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// Write implements io.Writer. What is written here is short.
func (s socket) Write(p []byte) (int, error) { return unix.Write(int(s), p) }
