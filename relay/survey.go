package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"relay/relay/nameplate"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// answerRate and answerBurst bound what the node sends to those who ask for its view, in
	// bytes a second and at once: a tenth of a stream, and three of the largest views.
	// Whoever is turned away asks a node further down.
	answerRate  = 32 << 10
	answerBurst = 512 << 10
	// surveyFresh is how long a view is shown again before another one is asked for,
	// and surveyPerNode adds to that for each node in it: a large view costs the root
	// 20 bytes a node, and changes no faster than it is told.
	surveyFresh   = time.Second
	surveyPerNode = time.Millisecond
	// surveyTime bounds one node's answer, and surveyAsks how many nodes are asked: the root,
	// the next one down, which sees its share, and this node's parent.
	surveyTime = 2 * time.Second
	surveyAsks = 3
)

// ErrEnded means that the channel is not open any more.
var ErrEnded = errors.New("the channel has ended")

// Survey is a channel's tree as some node of it sees it.
type Survey struct {
	View wire.View
	By   tree.ID // the node whose view it is: the first in it
	Self tree.ID // this node, which may stand anywhere in it
	Err  error   // why it is not the root's view; nil if it is
	// Names are what nodes call themselves, as they have signed it, of those that do and that this node
	// could ask for.
	Names map[wire.NodeTag]nameplate.Plate
}

// survey keeps the newest view of the whole tree.
type survey struct {
	turn chan struct{} // holds one token: one asks at a time, the others wait for what comes

	// Guarded by the token.
	until time.Time
	last  Survey
	known directory

	// For those who ask this node; guarded by the other token.
	answerTurn  chan struct{}
	answerUntil time.Time
	answer      []byte // a whole frame
}

func newSurvey() survey {
	s := survey{turn: make(chan struct{}, 1), answerTurn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	s.answerTurn <- struct{}{}
	return s
}

// view is this node's own view.
func (c *Channel) view() (wire.View, tree.Info, error) {
	var own wire.Fact
	var info tree.Info
	var below []child
	ok := c.query(func(n *tree.Node) {
		info = n.Info()
		own = c.ownFact(info, time.Now())
		below = c.children(info)
	})
	if !ok {
		return wire.View{}, info, ErrEnded
	}
	return join(own, info.Depth, below), info, nil
}

// Survey returns the whole tree as the root sees it, no older than a few seconds. If
// the root cannot be asked, it is the view of the nearest node below it that can, at
// worst this node's own.
func (c *Channel) Survey(ctx context.Context) (Survey, error) {
	select {
	case <-c.reporting.survey.turn:
	case <-ctx.Done():
		return Survey{}, context.Cause(ctx)
	}
	defer func() { c.reporting.survey.turn <- struct{}{} }()
	if time.Now().Before(c.reporting.survey.until) {
		return c.reporting.survey.last, nil
	}
	s, err := c.surveyNow(ctx)
	if err != nil {
		return Survey{}, err
	}
	c.reporting.survey.last = s
	c.reporting.survey.until = time.Now().Add(surveyFresh + time.Duration(len(s.View.Nodes))*surveyPerNode)
	return s, nil
}

func (c *Channel) surveyNow(ctx context.Context) (Survey, error) {
	own, info, err := c.view()
	if err != nil {
		return Survey{}, err
	}
	var parent *uplink
	c.query(func(*tree.Node) { parent = c.parentLink(info) })
	s := Survey{View: own, By: info.ID, Self: info.ID, Names: c.plates(parent)}
	if info.Root {
		return s, nil
	}
	s.Err = errors.New("there is no way to the root")
	for i, p := range toAsk(info) {
		v, err := c.node.ask(ctx, c, p)
		if err != nil {
			c.log.Debug("no view of the tree", zap.String("peer", p.ID.Short()), zap.Error(err))
			if i == 0 {
				s.Err = fmt.Errorf("ask %s: %w", p.ID.Short(), err)
			}
			if ctx.Err() != nil {
				return Survey{}, context.Cause(ctx)
			}
			continue
		}
		if i == 0 {
			s.Err = nil
		}
		s.By = p.ID
		s.View = graft(v, info, own)
		for id, e := range c.reporting.survey.known {
			if _, ok := s.Names[id]; !ok && e.plate != "" {
				s.Names[id] = e.plate
			}
		}
		return s, nil
	}
	return s, nil
}

// toAsk returns whom to ask for a view: nodes from the root downwards, and this node's
// parent.
func toAsk(info tree.Info) []tree.Place {
	ps := info.Path[:min(len(info.Path), surveyAsks)]
	if n := len(info.Path); n > surveyAsks {
		ps = append(ps[:surveyAsks-1:surveyAsks-1], info.Path[n-1])
	}
	return ps
}

// ask gets another node's view.
func (n *Node) ask(ctx context.Context, c *Channel, p tree.Place) (wire.View, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, surveyTime, errors.New("it does not answer"))
	defer cancel()
	d, err := n.dial(ctx, p)
	if err != nil {
		return wire.View{}, err
	}
	defer d.conn.Close()
	defer context.AfterFunc(ctx, func() { d.conn.NetConn().Close() })()
	d.guard.open(func() {}) // the frame's own bound is enough: we asked for it
	if err := c.pass.begin(d.conn, wire.Survey{Channel: c.id}); err != nil {
		return wire.View{}, err
	}
	r := wire.NewReader(d.conn, wire.Parent)
	f, err := c.pass.answer(d.conn, r)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return wire.View{}, err
	}
	switch f := f.(type) {
	case wire.Whole:
		f.Nodes[0].ID = wire.TagOf(d.peer)
		c.askNames(d.conn, r, f.View)
		return f.View, nil
	case tree.Bye:
		return wire.View{}, f.Reason
	}
	return wire.View{}, fmt.Errorf("%T: %w", f, wire.ErrNotDue)
}

// answer tells a stranger this node's view, and ends the connection.
func (n *Node) answer(conn *tls.Conn, r *wire.Reader, s wire.Survey, proof wire.Frame) error {
	c := n.named(s.Channel, proof, conn)
	if c == nil {
		sayBye(conn, tree.ReasonChannel)
		return refuse(doorChannel, tree.ReasonChannel)
	}
	frame, err := c.whole()
	if err != nil {
		sayBye(conn, tree.ReasonChannel)
		return refuse(doorChannel, err)
	}
	if !n.answers.AllowN(time.Now(), len(frame)) {
		sayBye(conn, tree.ReasonBusy)
		return refuse(doorBusy, tree.ReasonBusy)
	}
	if err := c.proveBack(conn); err != nil {
		return err
	}
	if _, err := conn.Write(frame); err != nil { // greet has set the deadline
		return fmt.Errorf("answer a survey: %w", err)
	}
	n.answerNames(conn, r, c)
	return conn.Close()
}

// whole is this node's view as a frame, made at most once in surveyFresh.
func (c *Channel) whole() ([]byte, error) {
	<-c.reporting.survey.answerTurn // held for as long as it takes to make a frame
	defer func() { c.reporting.survey.answerTurn <- struct{}{} }()
	now := time.Now()
	if now.Before(c.reporting.survey.answerUntil) {
		return c.reporting.survey.answer, nil
	}
	v, _, err := c.view()
	if err != nil {
		return nil, err
	}
	c.reporting.survey.answer, c.reporting.survey.answerUntil = wire.Append(nil, wire.Whole{View: v}), now.Add(surveyFresh)
	return c.reporting.survey.answer, nil
}

// graft puts what a node knows of itself and those below it into another node's view.
// What that view says of them is older and may have been cut, and is replaced. The way up
// from the node is known, so that it has a place in the view even if its ancestors were
// cut with it.
func graft(v wire.View, info tree.Info, own wire.View) wire.View {
	// The way from the view's first node down to this one.
	var way []wire.NodeTag
	for _, p := range info.Path {
		way = append(way, wire.TagOf(p.ID))
	}
	way = append(way, own.Nodes[0].ID)
	for len(way) > 0 && way[0] != v.Nodes[0].ID {
		way = way[1:]
	}
	if len(way) == 0 {
		return v // it stands elsewhere by now
	}
	at, end := 0, len(v.Nodes) // the deepest of them that is listed
	down := 0                  // how far down the way that is
	for down+1 < len(way) {
		next := childOf(v.Nodes, at, end, way[down+1])
		if next < 0 {
			break
		}
		at, end = next, subtreeEnd(v.Nodes, next)
		down++
	}
	from := at // what is put in replaces the nodes from here up to end
	var in []wire.Fact
	if down+1 < len(way) {
		if slices.ContainsFunc(v.Nodes, func(f wire.Fact) bool { return f.ID == own.Nodes[0].ID }) {
			return v // the view still has it at its former parent
		}
		from = end
		for down++; down+1 < len(way); down++ {
			in = append(in, wire.Fact{ID: way[down], Down: uint8(min(down, tree.MaxPath)), Flags: wire.Unheard, Children: 1})
		}
	}
	for _, f := range own.Nodes {
		if int(f.Down)+down <= tree.MaxPath {
			f.Down += uint8(down)
			in = append(in, f)
		}
	}
	rest := v.Rest
	if more := len(in) - (end - from); more > 0 {
		rest.Nodes -= min(rest.Nodes, uint32(more))
	}
	return wire.View{Depth: v.Depth, Nodes: slices.Concat(v.Nodes[:from], in, v.Nodes[end:]), Rest: rest}
}

// subtreeEnd is the index after the last node at or below nodes[i].
func subtreeEnd(nodes []wire.Fact, i int) int {
	for j := i + 1; j < len(nodes); j++ {
		if nodes[j].Down <= nodes[i].Down {
			return j
		}
	}
	return len(nodes)
}

// childOf returns the index of a child of nodes[at], whose subtree ends at end, or -1 if
// it is not listed.
func childOf(nodes []wire.Fact, at, end int, id wire.NodeTag) int {
	for i := at + 1; i < end; i++ {
		if nodes[i].Down == nodes[at].Down+1 && nodes[i].ID == id {
			return i
		}
	}
	return -1
}
