package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"relay/playback"
	"relay/relay"
)

const (
	// treeEvery is how often --watch draws.
	treeEvery = time.Second
	// treePatience bounds one answer of the relay that is asked: longer than it takes
	// to ask the nodes above it in vain.
	treePatience = 15 * time.Second
	// treeMost bounds that answer, in bytes: some thirty times the largest tree.
	treeMost = 64 << 20
	// treeLines is how many nodes are drawn on a terminal: a few screens.
	treeLines = 100
	// treeFrame is how many lines --watch needs beside the nodes: two of the summary,
	// a blank one, headings, two of what is left out, and the cursor's.
	treeFrame = 7
)

func treeCommand(t *terminal, stdio Stdio) *cli.Command {
	return &cli.Command{
		Name:      "tree",
		Usage:     "show who passes a channel on to whom",
		UsageText: "relay tree [CHANNEL] [FLAGS]",
		Description: `Asks the relay that runs on this machine, be it a source or a watcher. CHANNEL is
a link, a channel ID or the first characters of one; without it all are shown.

BEHIND is the delay behind the source, LOST counts chunks, SLOTS are children and
how many there may be, UPLOAD is what goes to them now.`,
		Flags: []cli.Flag{
			toggle("watch", "show it again every second"),
			toggle("json", "write JSON; with --watch one line for each second"),
			toggle("all", "draw every node, however many there are"),
			text("http", fmt.Sprintf("`ADDR` of the relay to ask: the one it gives for players (default 127.0.0.1:%d)", portHTTP)),
			number("offset", "add `N` to the default port, as given to the relay to ask", "0"),
		},
		Action: func(c *cli.Context) error { return runTree(c, t, stdio) },
	}
}

// treeShow is one run of the command.
type treeShow struct {
	addr    string // host:port
	channel string // the start of an ID; "" for all
	json    bool
	watch   bool
	all     bool
	t       *terminal
	out     io.Writer
	client  http.Client
	onTop   int // lines of the newest drawing that the next one replaces
}

func runTree(c *cli.Context, t *terminal, stdio Stdio) error {
	if c.NArg() > 1 {
		return usage("relay help tree", "relay tree takes one channel, %d arguments were given", c.NArg())
	}
	s := &treeShow{json: c.Bool("json"), watch: c.Bool("watch"), all: c.Bool("all"), t: t, out: stdio.Out}
	// The relay to ask is never behind a proxy.
	s.client = http.Client{Transport: &http.Transport{}, Timeout: treePatience}
	defer s.client.CloseIdleConnections()
	var err error
	if s.channel, err = channelOf(c.Args().First()); err != nil {
		return err
	}
	off := c.Int("offset")
	if off < 0 || off > maxOffset {
		return usage("", "--offset %d is not from 0 to %d", off, maxOffset)
	}
	s.addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(portHTTP+off))
	if c.IsSet("http") {
		if s.addr, err = askable(c.String("http")); err != nil {
			return err
		}
	}
	return s.run(c.Context)
}

// channelOf reads the argument: a link, or (the start of) an ID.
func channelOf(arg string) (string, error) {
	if strings.HasPrefix(strings.ToLower(arg), "relay:") {
		u, err := relay.ParseURL(arg)
		if err != nil {
			return "", usage("copy the whole link that relay source printed", "%w", err)
		}
		return u.Channel.String(), nil
	}
	return strings.ToLower(arg), nil
}

// askable reads --http: an address as the relay was given it, or the URL it printed.
func askable(value string) (string, error) {
	s := value
	if u, err := url.Parse(value); err == nil && u.Scheme == "http" {
		s = u.Host
	}
	if _, err := strconv.ParseUint(s, 10, 16); err == nil {
		s = ":" + s
	}
	host, num, err := net.SplitHostPort(s)
	n, numErr := strconv.ParseUint(num, 10, 16)
	if err != nil || numErr != nil || n == 0 {
		return "", usage("it is in the address that the relay printed for players, such as 127.0.0.1:"+strconv.Itoa(portHTTP),
			"--http %q is no address to ask", value)
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, num), nil
}

func (s *treeShow) run(ctx context.Context) error {
	tick := time.NewTicker(treeEvery)
	defer tick.Stop()
	for {
		trees, err := s.fetch(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.show(trees); err != nil {
			return fail("", "write the tree: %w", err)
		}
		if !s.watch {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// fetch asks the relay.
func (s *treeShow) fetch(ctx context.Context) (playback.Trees, error) {
	var trees playback.Trees
	u := url.URL{Scheme: "http", Host: s.addr, Path: "/api/tree"}
	if s.channel != "" {
		u.RawQuery = url.Values{"channel": {s.channel}}.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return trees, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return trees, &failure{
			fmt.Errorf("no relay answers at %s: %w", s.addr, bareURL(err)),
			"start relay source or relay watch first, or name its address for players: relay tree --http HOST:PORT", exitNobody,
		}
	}
	defer resp.Body.Close()
	body := io.LimitReader(resp.Body, treeMost)
	switch {
	case resp.StatusCode == http.StatusNotFound && s.channel != "":
		return trees, fail("relay tree without a channel shows all that are open there", "the relay at %s has no channel %q, or more than one that begins like that", s.addr, s.channel)
	case resp.StatusCode == http.StatusServiceUnavailable:
		text, _ := io.ReadAll(io.LimitReader(body, 1000))
		return trees, fail("", "%s", strings.TrimSpace(string(text)))
	case resp.StatusCode != http.StatusOK:
		return trees, fail("", "what answers at %s knows no trees (%s): is it a relay of this version?", s.addr, resp.Status)
	}
	if err := json.NewDecoder(body).Decode(&trees); err != nil {
		return trees, fail("", "what answers at %s is no tree: %w", s.addr, err)
	}
	for _, t := range trees.Channels {
		for i, n := range t.Nodes {
			if n.Depth < 0 || n.Parent >= i || (n.Parent < 0) != (i == 0) {
				return trees, fail("", "what answers at %s is no tree", s.addr)
			}
		}
	}
	return trees, nil
}

// bareURL strips what net/http and net put around the system's own words.
func bareURL(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	return bare(err)
}

func (s *treeShow) show(trees playback.Trees) error {
	if s.json {
		enc := json.NewEncoder(s.out)
		if !s.watch {
			enc.SetIndent("", "  ")
		}
		return enc.Encode(trees)
	}
	d, height := s.drawing()
	var lines []string
	for i, t := range trees.Channels {
		if i > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, d.draw(t)...)
	}
	if len(trees.Channels) == 0 {
		lines = append(lines, "No channel is open at "+s.addr+".")
	}
	if !s.watch || !s.t.outTTY {
		if s.watch {
			lines = append(lines, "")
		}
		_, err := io.WriteString(s.out, strings.Join(lines, "\n")+"\n")
		return err
	}
	lines = lines[:min(len(lines), height-1)] // what scrolled away could not be redrawn
	var b strings.Builder
	if s.onTop > 0 {
		fmt.Fprintf(&b, "\r\x1b[%dA", s.onTop)
	}
	for _, l := range lines {
		b.WriteString(l + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	s.onTop = len(lines)
	_, err := io.WriteString(s.out, b.String())
	return err
}

// drawing is how to draw now, and the screen's height in lines.
func (s *treeShow) drawing() (d drawing, height int) {
	d = drawing{ascii: !speaksUTF8(os.Getenv, runtime.GOOS)}
	if !s.t.outTTY {
		return d, 0
	}
	d.colour = os.Getenv("NO_COLOR") == ""
	d.width, height = 80, 24 // of a terminal that does not tell
	if f, ok := s.out.(*os.File); ok {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 1 {
			d.width, height = w, h
		}
	}
	switch {
	case s.all:
	case s.watch:
		d.lines = max(1, height-treeFrame)
	default:
		d.lines = treeLines
	}
	return d, height
}

// speaksUTF8 reports whether the user's terminal shows more than ASCII: POSIX says so
// by the first of three variables that is set, other systems always do.
func speaksUTF8(getenv func(string) string, goos string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(getenv(name)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return goos == "windows" || goos == "darwin"
}
