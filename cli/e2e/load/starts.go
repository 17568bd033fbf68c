//go:build e2e && linux

package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// starts starts relay source n times, and tells how long it takes until it listens: from the moment
// before the process begins until it has said where players find it and takes a connection there.
// Keys are there already but for the first time.
func (p plan) starts(ctx context.Context, n int) (err error) {
	m := p.machine
	m.most = spare
	if m.dir, err = os.MkdirTemp("", "relay-load-"); err != nil {
		return err
	}
	defer os.RemoveAll(m.dir)
	var all []time.Duration
	for range n + 1 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		took, err := startOnce(m)
		if err != nil {
			return err
		}
		all = append(all, took)
	}
	s := spreadOf(all[1:])
	info, err := os.Stat(m.relay)
	if err != nil {
		return err
	}
	fmt.Printf("%s, %.2f MB, from its start until it listens: %.1f ms the first time, then p50 %.1f, p99 %.1f, most %.1f ms of %d\n",
		filepath.Base(m.relay), float64(info.Size())/1e6, ms(all[0]), ms(s.p50), ms(s.p99), ms(s.most), n)
	return nil
}

func startOnce(m machine) (time.Duration, error) {
	begun := now()
	s, err := startRelay(m, ".flv")
	if err != nil {
		return 0, err
	}
	defer s.stop()
	u, err := url.Parse(s.page)
	if err != nil {
		return 0, err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return now() - begun, nil
}
