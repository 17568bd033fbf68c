package relay

import (
	"cmp"
	"crypto/tls"
	"slices"
	"time"

	"relay/relay/nameplate"
	"relay/relay/wire"
)

const (
	// nameFresh is how long a name that was asked for is not asked for again, and namelessFresh how long one
	// is not that nobody could tell.
	nameFresh     = time.Minute
	namelessFresh = 10 * time.Second
	// whoIsTime is how long a node that has answered a survey waits to be asked for names.
	whoIsTime = time.Second
)

// directory is the names that were asked of others, for those who draw the tree: of the nodes of the newest
// view alone.
type directory map[wire.NodeTag]entry

type entry struct {
	plate nameplate.Plate
	asked time.Time
}

// wants is whose names to ask for: first of those that were never asked for, the nearest first. It forgets
// the names of nodes that are gone.
func (d *directory) wants(now time.Time, nodes []wire.Fact) []wire.NodeTag {
	kept := make(directory, len(nodes))
	var due []wire.Fact
	for _, f := range nodes {
		e, ok := (*d)[f.ID]
		if ok {
			kept[f.ID] = e
		}
		fresh := namelessFresh
		if e.plate != "" {
			fresh = nameFresh
		}
		if now.Sub(e.asked) >= fresh {
			due = append(due, f)
		}
	}
	*d = kept
	slices.SortStableFunc(due, func(a, b wire.Fact) int {
		return cmp.Or(kept[a.ID].asked.Compare(kept[b.ID].asked), cmp.Compare(a.Down, b.Down))
	})
	var ids []wire.NodeTag
	for _, f := range due[:min(len(due), wire.MaxNames)] {
		ids = append(ids, f.ID)
		kept[f.ID] = entry{kept[f.ID].plate, now}
	}
	return ids
}

// take takes what was told of nodes that were asked for, if they have signed it.
func (d directory) take(c *Channel, of []nameplate.Plate) {
	for _, p := range of {
		id := wire.TagOf(p.Node())
		if e, ok := d[id]; ok && p.At() > e.plate.At() && p.Verify(c.id) {
			d[id] = entry{p, e.asked}
		}
	}
}

// askNames asks the node that has just answered a survey for the names that are missing in its view. Without
// an answer they are missing. It is called with the survey's token held.
func (c *Channel) askNames(conn *tls.Conn, r *wire.Reader, v wire.View) {
	if !knows6(conn) || !c.namesShown() {
		return
	}
	ids := c.reporting.survey.known.wants(time.Now(), v.Nodes)
	if len(ids) == 0 {
		return
	}
	if _, err := conn.Write(wire.Append(nil, wire.WhoIs{Of: ids})); err != nil {
		return
	}
	if f, err := r.Next(); err == nil {
		if names, ok := f.(wire.Names); ok {
			c.reporting.survey.known.take(c, names.Of)
		}
	}
}

// answerNames tells a stranger who has asked for a survey the names that it asks for, as far as it may know
// them.
func (n *Node) answerNames(conn *tls.Conn, r *wire.Reader, c *Channel) {
	if !knows6(conn) || conn.SetDeadline(time.Now().Add(whoIsTime)) != nil {
		return
	}
	f, err := r.Next()
	who, ok := f.(wire.WhoIs)
	if err != nil || !ok {
		return
	}
	home := n.homely(remoteAddr(conn.NetConn()).Addr())
	var told wire.Names
	for _, id := range who.Of {
		p := c.reporting.facts.plate(id)
		if id == wire.TagOf(n.ID()) {
			p = c.names.plate()
		}
		if p != "" && (!p.Home() || home) && c.namesShown() {
			told.Of = append(told.Of, p)
		}
	}
	if frame := wire.Append(nil, told); n.answers.AllowN(time.Now(), len(frame)) {
		_, _ = conn.Write(frame) // the connection ends in any case
	}
}
