//go:build e2e && linux

package netns

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"relay/cli/e2e/internal/wait"
	"relay/playback/api"
)

// fanout is how many children the watchers take, by turns: few enough that thirty watchers make
// a tree four deep, and enough that there is room when one is gone.
var fanout = []int{3, 2, 2, 1}

// rootFanout is how many children the source takes.
const rootFanout = 2

// swarm is a source and its watchers, each on its own host and with a player.
type swarm struct {
	net      *network  // nil if it is on an internet
	internet *internet // nil if it is on a network
	dir      string    // keys, logs
	flags    []string  // of each node
	via      []string  // flags of the source besides
	link     string
	ledger   ledger
	encoder  *process
	nodes    []*node  // the source is the first
	roots    []string // IDs that a path may begin with: the source's, and that of a liar that claims to be the root and delivers
	hostile  bool     // there are liars in the swarm
}

// node is a relay on a host.
type node struct {
	*host
	*process
	name     string
	id       string // the node's ID
	children int    // how many children it takes
	url      string // of the channel
	api      http.Client
	player   *player // nil while the node is down
}

// newSwarm starts a swarm on a network with some hosts to spare.
func newSwarm(t *testing.T, watchers, spare int) *swarm {
	t.Helper()
	s := &swarm{net: newNetwork(t, 1+watchers+spare), dir: folder(t)}
	for i, h := range s.net.hosts[:1+watchers] {
		s.nodes = append(s.nodes, newNode(h, fanout[i%len(fanout)]))
	}
	s.nodes[0].name, s.nodes[0].children = "source", rootFanout
	s.startSource(t)
	s.startWatchers(t)
	return s
}

// folder is where a swarm's keys and logs are.
func folder(t *testing.T) string {
	t.Helper()
	if *keepFlag == "" {
		return t.TempDir()
	}
	dir := filepath.Join(*keepFlag, strings.ReplaceAll(t.Name(), "/", "-"))
	must(t, os.MkdirAll(dir, 0o755))
	return dir
}

// startWatchers starts all watchers, and a player at each node.
func (s *swarm) startWatchers(t *testing.T) {
	t.Helper()
	for _, n := range s.watchers() {
		s.launch(t, n)
	}
	for _, n := range s.watchers() {
		s.ready(t, n)
	}
	for _, n := range s.nodes {
		s.attached(t, n)
		n.player = n.play(t, "player at "+n.name, n.url)
	}
}

func newNode(h *host, children int) *node {
	return &node{
		host: h, name: fmt.Sprintf("node%02d", h.num), children: children,
		api: http.Client{Transport: &http.Transport{DialContext: h.dial, DisableKeepAlives: true}, Timeout: 2 * time.Second},
	}
}

// newcomer starts one more watcher, and waits until its player has a frame.
func (s *swarm) newcomer(t *testing.T, h *host, children int) *node {
	t.Helper()
	n := newNode(h, children)
	s.launch(t, n)
	s.ready(t, n)
	n.player = n.play(t, "player at "+n.name, n.url)
	s.nodes = append(s.nodes, n)
	wait.Until(t, n.player.name+" has a frame", func() error {
		if s.read(t); !n.player.begun {
			return errors.New("it has none")
		}
		return nil
	})
	return n
}

func (s *swarm) source() *node     { return s.nodes[0] }
func (s *swarm) watchers() []*node { return s.nodes[1:] }

// startSource starts the source and its encoder: a new epoch.
func (s *swarm) startSource(t *testing.T) {
	t.Helper()
	n := s.source()
	tagLog := filepath.Join(s.dir, fmt.Sprintf("run%d.tags", len(s.ledger.runs)))
	s.ledger.begin(tagLog)
	const key = "s3cret"
	s.launchAs(t, n, "source", append([]string{"--key", key, "--tag-log", tagLog}, s.via...)...)
	s.link = n.find(t, `(?m)^(relay://\S+)\n`)
	n.url = n.find(t, `(?m)^Watch +(http://\S+)\n`)
	s.encoder = n.encode(t, filepath.Join(s.dir, "ffmpeg.log"), n.find(t, `(?m)^  Server +(rtmp://\S+)\n`)+"/"+key)
	n.identify(t)
	s.roots = []string{n.id}
}

// launch starts a watcher, ready waits until it answers.
func (s *swarm) launch(t *testing.T, n *node) { s.launchAs(t, n, "watch", s.link) }

func (s *swarm) launchAs(t *testing.T, n *node, command string, args ...string) {
	t.Helper()
	args = slices.Concat([]string{command}, args, s.flags)
	n.process = n.start(t, n.name, filepath.Join(s.dir, n.name+".log"), relayBin, append(args,
		"--max-children", strconv.Itoa(n.children), "--config", filepath.Join(s.dir, n.name+".keys"), "--verbose")...)
}

func (s *swarm) ready(t *testing.T, n *node) {
	t.Helper()
	n.url = n.find(t, `(?m)^(http://\S+)\n`)
	n.identify(t)
}

// identify finds out the node's ID.
func (n *node) identify(t *testing.T) {
	t.Helper()
	wait.Until(t, n.process.name+" answers", func() error {
		st, err := n.ask()
		n.id = st.Node.ID
		return err
	})
}

// attached waits until a node has a path from the source and media.
func (s *swarm) attached(t *testing.T, n *node) {
	t.Helper()
	wait.Until(t, n.name+" is attached", func() error { return s.fed(n, nil) })
}

// revive starts a watcher that has ended, with a player.
func (s *swarm) revive(t *testing.T, n *node) {
	t.Helper()
	n.player.quit()
	s.launch(t, n)
	s.ready(t, n)
	s.attached(t, n)
	n.player = n.play(t, "player at "+n.name, n.url)
}

// ask asks a node for its status.
func (n *node) ask() (api.Status, error) {
	var st api.Status
	u, err := url.Parse(n.url)
	if err != nil {
		return st, err
	}
	resp, err := n.api.Get("http://" + u.Host + "/api/v1/status")
	if err != nil {
		return st, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return st, fmt.Errorf("status answers %s", resp.Status)
	}
	return st, json.NewDecoder(resp.Body).Decode(&st)
}

// channel is the status of the node's only channel.
func (n *node) channel() (api.ChannelStatus, error) {
	st, err := n.ask()
	if err == nil && len(st.Channels) != 1 {
		err = fmt.Errorf("%s has %d channels", n.name, len(st.Channels))
	}
	if err != nil {
		return api.ChannelStatus{}, err
	}
	return st.Channels[0], nil
}

// fed returns nil if the source feeds a node over a path that avoids some others, or else the
// reason why not.
func (s *swarm) fed(n *node, without []*node) error {
	st, err := n.channel()
	switch {
	case err != nil:
		return err
	case st.State != api.Live:
		return fmt.Errorf("%s is %s", n.name, st.State)
	case n == s.source():
		return nil
	case st.Parent == nil:
		return fmt.Errorf("%s has no parent", n.name)
	case len(st.Path) == 0 || !slices.Contains(s.roots, st.Path[0]):
		return fmt.Errorf("%s has a path that does not begin at the source", n.name)
	}
	for _, w := range without {
		if slices.Contains(st.Path, w.id) {
			return fmt.Errorf("%s is still below %s", n.name, w.name)
		}
	}
	return nil
}

// settle waits until every node is fed and every player has what the source has, so that the
// next fault hits an intact swarm.
func (s *swarm) settle(t *testing.T) {
	t.Helper()
	for _, n := range s.nodes {
		s.attached(t, n)
	}
	s.caughtUp(t)
}

// caughtUp waits until every player has every tag that the source has taken in by now.
func (s *swarm) caughtUp(t *testing.T) {
	t.Helper()
	s.ledger.runs[len(s.ledger.runs)-1].follow(t)
	epoch, tags := s.ledger.newest()
	for _, n := range s.nodes {
		wait.Until(t, n.name+"'s player catches up", func() error {
			s.read(t)
			p := n.player
			if p.begun && p.epoch == epoch && p.at >= tags-1 {
				return nil
			}
			return errors.Join(fmt.Errorf("it is at tag %d of run %d, the source had %d of run %d: %v", p.at, p.epoch, tags, epoch, p.faults.notes), p.broken())
		})
	}
}

// read takes in the tags that the players got.
func (s *swarm) read(t *testing.T) {
	t.Helper()
	for _, n := range s.nodes {
		n.player.mu.Lock()
		n.player.due = len(n.player.notes)
		n.player.mu.Unlock()
	}
	// The log is read after the players, so it has everything that they can have.
	for _, r := range s.ledger.runs[max(0, len(s.ledger.runs)-2):] {
		r.follow(t)
	}
	for _, n := range s.nodes {
		n.player.take(&s.ledger)
	}
}

// moves returns how often each node has got a parent since the swarm began, according to the
// logs.
func (s *swarm) moves(t *testing.T) map[*node]int {
	t.Helper()
	count := make(map[*node]int)
	for _, n := range s.watchers() {
		b, err := os.ReadFile(n.process.log)
		must(t, err)
		count[n] = bytes.Count(b, []byte(`"msg":"attached"`))
	}
	return count
}

// shape is each node's place in the tree.
type shape struct {
	path  map[*node][]*node // from the source to the node, without it
	depth int               // the greatest
}

func (s *swarm) shape(t *testing.T) shape {
	t.Helper()
	byID := make(map[string]*node)
	for _, n := range s.nodes {
		byID[n.id] = n
	}
	sh := shape{path: make(map[*node][]*node)}
	for _, n := range s.watchers() {
		var st api.ChannelStatus
		wait.Until(t, n.name+" says its path", func() (err error) {
			if st, err = n.channel(); err == nil && len(st.Path) == 0 {
				err = errors.New("it has none")
			}
			return err
		})
		for _, id := range st.Path[:len(st.Path)-1] {
			up := byID[id]
			if up == nil { // a liar, which is not a node of the swarm
				up = &node{name: id[:8]}
				byID[id] = up
			}
			sh.path[n] = append(sh.path[n], up)
		}
		sh.depth = max(sh.depth, len(sh.path[n]))
	}
	return sh
}

// below returns the watchers that a node feeds, directly or over others.
func (sh shape) below(n *node) []*node {
	var all []*node
	for other, path := range sh.path {
		if slices.Contains(path, n) {
			all = append(all, other)
		}
	}
	slices.SortFunc(all, func(a, b *node) int { return a.num - b.num })
	return all
}

// String draws the tree as a list of paths.
func (sh shape) String() string {
	var lines []string
	for n, path := range sh.path {
		var names []string
		for _, p := range path {
			names = append(names, p.name)
		}
		lines = append(lines, strings.Join(append(names, n.name), " "))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// reattached waits until nodes are fed without some others, and returns how long
// after a moment each was.
func (s *swarm) reattached(t *testing.T, nodes, without []*node, since time.Time, within time.Duration) (map[*node]time.Duration, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	took := make(map[*node]time.Duration)
	var mu sync.Mutex
	var errs []error
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(func() {
			for {
				err := s.fed(n, without)
				at := time.Since(since)
				if err == nil {
					mu.Lock()
					took[n] = at
					mu.Unlock()
					return
				}
				select {
				case <-ctx.Done():
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
					return
				case <-time.After(wait.Every):
				}
			}
		})
	}
	wg.Wait()
	return took, errors.Join(errs...)
}
