//go:build e2e && linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// hlsRead is what an HLS player takes with one system call, in bytes.
const hlsRead = 64 << 10

// hlsPlayer plays HLS as players do (RFC 8216, section 6.3): it keeps one connection, reads the
// playlist each target duration, or after half of it if there was nothing new, and fetches each
// new segment, from the newest one on.
type hlsPlayer struct {
	at    *url.URL // of the playlist
	to    *audience
	crowd *crowd
	as    *viewer

	conn net.Conn
	in   *bufio.Reader
	init string // that it has
	last uint64 // the segment that it has fetched last, 0 before the first
	buf  []byte
}

// playingHLS are players of the playlist at an address.
func playingHLS(at string) visit {
	return func(ctx context.Context, a *audience, _ int) error {
		u, err := url.Parse(at)
		if err != nil {
			return err
		}
		c := &check{sent: a.sent, frames: true}
		p := &hlsPlayer{
			at: u, to: a, crowd: a.any(), as: &viewer{fd: -1, check: c, parse: &mp4Parser{check: c}},
			buf: make([]byte, hlsRead),
		}
		if err := p.crowd.add(p.as); err != nil {
			return err
		}
		a.alone.Go(func() { // ends with ctx
			if err := p.run(ctx); ctx.Err() == nil {
				p.crowd.call(func() { p.crowd.end(p.as, fmt.Errorf("a player of %s: %w", at, err)) })
			}
		})
		return nil
	}
}

// run plays until ctx ends, or something is not as it should be.
func (p *hlsPlayer) run(ctx context.Context) error {
	defer func() {
		if p.conn != nil {
			p.conn.Close()
		}
	}()
	for {
		list, err := p.poll(ctx)
		if err != nil {
			return err
		}
		fresh, err := p.fetchNew(ctx, list)
		if err != nil {
			return err
		}
		wait := list.target
		if !fresh {
			wait /= 2
		}
		// Players are not in step.
		if err := pause(ctx, time.Duration(float64(wait)*(.9+.2*rand.Float64()))); err != nil {
			return err
		}
	}
}

// poll reads the playlist.
func (p *hlsPlayer) poll(ctx context.Context) (list hlsList, err error) {
	p.to.polls.Add(1)
	var text strings.Builder
	err = p.get(ctx, p.at.Path, func(b []byte) {
		p.crowd.bytes.Add(uint64(len(b)))
		text.Write(b)
	})
	if err != nil {
		return list, err
	}
	return parseHLS(text.String())
}

// fetchNew fetches what is new in a playlist, and reports whether there was something.
func (p *hlsPlayer) fetchNew(ctx context.Context, list hlsList) (fresh bool, err error) {
	segments := list.segments
	switch at := 0; {
	case len(segments) == 0:
		return false, nil
	case p.last == 0:
		segments = segments[len(segments)-1:]
	default:
		for at < len(segments) && segments[at].number <= p.last {
			at++
		}
		segments = segments[at:]
	}
	media := func(b []byte) { p.crowd.fed(p.as, b, now()) }
	for _, s := range segments {
		if s.init != p.init {
			if err := p.get(ctx, p.at.ResolveReference(&url.URL{Path: s.init}).Path, media); err != nil {
				return fresh, err
			}
			p.init = s.init
		}
		p.to.fetches.Add(1)
		if err := p.get(ctx, p.at.ResolveReference(&url.URL{Path: s.name}).Path, media); err != nil {
			return fresh, err
		}
		p.last, fresh = s.number, true
	}
	return fresh, nil
}

// get fetches a file and hands it to take in pieces. Its length must be the one that the server
// has told.
func (p *hlsPlayer) get(ctx context.Context, path string, take func([]byte)) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}()
	if p.conn == nil {
		if p.conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", p.at.Host); err != nil {
			return err
		}
		p.in = bufio.NewReaderSize(p.conn, maxHead)
	}
	defer context.AfterFunc(ctx, func() { p.conn.Close() })()
	if _, err := fmt.Fprintf(p.conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, p.at.Host); err != nil {
		return err
	}
	answer, err := http.ReadResponse(p.in, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.ContentLength < 0 {
		return fmt.Errorf("the server answers %s, with %d bytes", answer.Status, answer.ContentLength)
	}
	for {
		n, err := answer.Body.Read(p.buf)
		if n > 0 {
			take(p.buf[:n])
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// hlsList is what a player needs of a playlist.
type hlsList struct {
	target   time.Duration
	segments []hlsSegment
}

type hlsSegment struct {
	number     uint64
	name, init string
}

var errNotHLS = errors.New("it is no playlist with a target duration and maps")

// parseHLS reads a playlist of segments in MP4.
func parseHLS(text string) (list hlsList, err error) {
	if !strings.HasPrefix(text, "#EXTM3U\n") {
		return list, errNotHLS
	}
	var next hlsSegment
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(line, ":")
		switch key {
		case "#EXT-X-TARGETDURATION":
			n, err := strconv.Atoi(value)
			if err != nil {
				return list, fmt.Errorf("%s: %w", line, errNotHLS)
			}
			list.target = time.Duration(n) * time.Second
		case "#EXT-X-MEDIA-SEQUENCE":
			if next.number, err = strconv.ParseUint(value, 10, 64); err != nil {
				return list, fmt.Errorf("%s: %w", line, errNotHLS)
			}
		case "#EXT-X-MAP":
			next.init = strings.Trim(strings.TrimPrefix(value, "URI="), `"`)
		default:
			if line == "" || line[0] == '#' {
				continue
			}
			if next.name = line; next.init == "" {
				return list, errNotHLS
			}
			list.segments = append(list.segments, next)
			next.number++
		}
	}
	if list.target <= 0 {
		return list, errNotHLS
	}
	return list, nil
}
