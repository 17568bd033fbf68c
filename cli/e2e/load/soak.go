//go:build e2e && linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// A soak lets viewers come and leave, in every form, some of them in bad ways, and looks at what
// the server holds: an hour of comings and goings in minutes. What it holds at the end, when all
// have left, must be what it held when the first ones had: an end with more of it fails.

const (
	// stay is how long a viewer of a soak stays on average.
	stay = 4 * time.Second
	// soakStep is how often a soak tells what the server holds.
	soakStep = 15 * time.Second
	// first is how long viewers come before it is looked at what the server holds: with a rest, for
	// longer than the ring takes to be full.
	first = 30 * time.Second
	// rest is how long all are gone before the server is looked at: longer than it takes to notice
	// who has left, and to forget HLS that nobody asks for.
	rest = 35 * time.Second
	// maxGrowth is by how much the heap may have grown, as a share, and moreGoroutines
	// and moreFiles by how much these: connections that a poll of our own may have left.
	maxGrowth                 = 0.1
	moreGoroutines, moreFiles = 5, 3
)

// held is what a server holds. What is resident follows what is in use late, and what was in use
// at its most: so heap is what counts, after the server has looked for what is in use no more.
type held struct {
	rss, heap, goroutines, files int
}

func (h held) String() string {
	return fmt.Sprintf("%.1f MB resident, %.1f MB of heap, %d goroutines, %d descriptors", float64(h.rss)/1e6, float64(h.heap)/1e6, h.goroutines, h.files)
}

// grown is what was not given back since before, "" if all was.
func (h held) grown(before held) string {
	var what []string
	if float64(h.heap) > float64(before.heap)*(1+maxGrowth) {
		what = append(what, "memory")
	}
	if h.goroutines > before.goroutines+moreGoroutines {
		what = append(what, "goroutines")
	}
	if h.files > before.files+moreFiles {
		what = append(what, "descriptors")
	}
	return strings.Join(what, ", ")
}

// soaking is one soak.
type soaking struct {
	pid      int
	metrics  string // the address
	page     string // the address of the page
	forms    []string
	audience *audience
	came     atomic.Int64
	there    atomic.Int64
	refused  atomic.Int64 // since too many others had come and said nothing
}

var errGrown = errors.New("what the server holds has grown")

// soak lets viewers come at a rate, each second, for a time.
func (p plan) soak(ctx context.Context, d time.Duration, rate int) (err error) {
	m := p.machine
	m.most = 20*rate + spare
	if m.dir, err = os.MkdirTemp("", "relay-load-"); err != nil {
		return err
	}
	defer os.RemoveAll(m.dir)
	admin, err := freePort()
	if err != nil {
		return err
	}
	s, err := startRelay(m, ".flv", "--admin", admin, "--pprof")
	if err != nil {
		return err
	}
	defer s.stop()
	ctx, h, published, err := p.feed(ctx, s, first+d+3*rest)
	if err != nil {
		return err
	}
	a, err := openAudience(h, 1)
	if err != nil {
		return errors.Join(err, published())
	}
	defer a.close()
	defer func() { err = errors.Join(err, published()) }() // before the audience has gone
	k := &soaking{pid: s.cmd.Process.Pid, metrics: admin, page: s.page, audience: a}
	for _, form := range []string{".mp4", ".ts", ".flv"} {
		k.forms = append(k.forms, strings.Replace(s.play, ".flv", form, 1))
	}
	k.forms = append(k.forms, s.rtmp)
	before, err := k.round(ctx, "warm", first, rate)
	if err != nil {
		return err
	}
	after, err := k.round(ctx, "soak", d, rate)
	if err != nil {
		return err
	}
	fmt.Printf("\n%d viewers came and left, and %d requests were refused; what they got is %v.\nbefore: %v\nafter:  %v\n", k.came.Load(), k.refused.Load(), a.verdict(0, 0), before, after)
	if err := a.failure(); err != nil {
		return err
	}
	if f := a.verdict(0, 0); f != (flaws{}) {
		return errNotExact
	}
	if what := after.grown(before); what != "" {
		return fmt.Errorf("%w: %s", errGrown, what)
	}
	return nil
}

// round lets viewers come for a time, waits until all have left, and returns what the server holds
// then.
func (k *soaking) round(ctx context.Context, name string, d time.Duration, rate int) (h held, err error) {
	var all errgroup.Group // each ends after a while
	begun, told := now(), now()
	for i := 0; now() < begun+d; i++ {
		all.Go(func() error { return k.visit(ctx, i) })
		if err := pause(ctx, begun+time.Second*time.Duration(i)/time.Duration(rate)-now()); err != nil {
			return h, err
		}
		if now() > told+soakStep {
			told = now()
			if h, err = k.look(ctx); err != nil {
				return h, err
			}
			fmt.Printf("%s %4.0f s: %6d came, %4d there: %v\n", name, (now() - begun).Seconds(), k.came.Load(), k.there.Load(), h)
		}
	}
	if err := all.Wait(); err != nil {
		return h, err
	}
	if err := pause(ctx, rest); err != nil {
		return h, err
	}
	h, err = k.look(ctx)
	fmt.Printf("%s: all have left: %v\n", name, h)
	return h, err
}

// visit is one viewer, of the sort that is its turn. It leaves when ctx ends, too.
func (k *soaking) visit(ctx context.Context, turn int) error {
	k.came.Add(1)
	k.there.Add(1)
	defer k.there.Add(-1)
	stays := time.Duration(rand.Int64N(int64(2 * stay)))
	switch turn % 8 {
	case 4:
		return k.poll(ctx)
	case 5:
		return k.idle(ctx, "", stays) // a connection, and nothing else
	case 6:
		return k.idle(ctx, "GET /x.flv HTTP/1.1\r\nHo", stays)
	case 7:
		return k.idle(ctx, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", stays)
	}
	v, err := view(k.forms[turn%8], k.audience.sent)
	if errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE) || errors.Is(err, io.EOF) {
		k.refused.Add(1)
		return nil
	}
	if err != nil {
		return fmt.Errorf("a viewer of %s: %w", k.forms[turn%8], err)
	}
	if turn%16 >= 8 && turn%3 == 0 { // takes nothing
		defer unix.Close(v.fd)
		_ = pause(ctx, stays)
		return nil
	}
	c := k.audience.any()
	if err := c.add(v); err != nil {
		return err
	}
	_ = pause(ctx, stays)
	c.drop(v)
	return nil
}

// poll asks for what a page and an HLS player ask for.
func (k *soaking) poll(ctx context.Context) error {
	u, err := url.Parse(k.forms[0])
	if err != nil {
		return err
	}
	name, _, _ := strings.Cut(strings.Trim(u.Path, "/"), ".")
	for _, path := range []string{"", "api/v1/channels", "hls/" + name + "/index.m3u8", "healthz", "nothing.flv"} {
		if _, err := get(ctx, k.page+path); err != nil {
			k.refused.Add(1)
		}
	}
	return nil
}

// idle connects, says something, and leaves after a while without waiting for an answer.
func (k *soaking) idle(ctx context.Context, says string, stays time.Duration) error {
	u, err := url.Parse(k.page)
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, says); err != nil {
		return nil // the server has closed it: there are others like it
	}
	_ = pause(ctx, stays)
	return nil
}

// look asks what the server holds.
func (k *soaking) look(ctx context.Context) (h held, err error) {
	if h.rss, err = resident(k.pid); err != nil {
		return h, err
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", k.pid))
	if err != nil {
		return h, err
	}
	h.files = len(files)
	for range 3 { // what pools hold goes with the second time
		if _, err := get(ctx, "http://"+k.metrics+"/debug/pprof/heap?gc=1"); err != nil {
			return h, err
		}
	}
	text, err := get(ctx, "http://"+k.metrics+"/metrics")
	if err != nil {
		return h, err
	}
	heap, goroutines := 0.0, 0.0
	for line := range strings.Lines(text) {
		for name, figure := range map[string]*float64{"go_memstats_alloc_bytes": &heap, "go_goroutines": &goroutines} {
			if n, ok := strings.CutPrefix(line, name+" "); ok {
				_, err = fmt.Sscan(n, figure)
			}
		}
	}
	if h.heap, h.goroutines = int(heap), int(goroutines); err == nil && (h.heap == 0 || h.goroutines == 0) {
		err = errors.New("the metrics lack the heap or the goroutines")
	}
	return h, err
}

// get asks once, over a connection of its own.
func get(ctx context.Context, at string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return "", err
	}
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return string(b), err
}
