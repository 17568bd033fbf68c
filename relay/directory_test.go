package relay

import (
	"crypto/ed25519"
	"slices"
	"testing"
	"time"

	"relay/relay/nameplate"
	"relay/relay/stream"
	"relay/relay/wire"
)

// Whoever answers a whois may be a liar, the source's node too.
func TestOnlyWhatNodesHaveSignedIsTakenOfAnAnswer(t *testing.T) {
	c := &Channel{id: stream.IDOf(newKey(t))}
	key, other := newKey(t), newKey(t)
	id := wire.TagOf(NodeID(key.Public().(ed25519.PublicKey)))
	now := time.Now()
	sign := func(at time.Duration, name string) nameplate.Plate {
		return nameplate.Sign(c.id, key, now.Add(at), name, false)
	}
	altered := []byte(sign(time.Hour, "victim"))
	altered[42] = 'V'
	unasked := nameplate.Sign(c.id, other, now, "source", false)
	d := directory{id: {asked: now}}
	for _, step := range []struct {
		what string
		of   nameplate.Plate
		want string
	}{
		{"one that is altered", nameplate.Plate(altered), ""},
		{"one that was not asked for", unasked, ""},
		{"a good one", sign(2, "a"), "a"},
		{"a later one", sign(time.Second, "b"), "b"},
		{"the older one again", sign(2, "a"), "b"},
		{"one that is altered, over a good one", nameplate.Plate(altered), "b"},
		{"one that takes it back", sign(2*time.Second, ""), ""},
	} {
		d.take(c, []nameplate.Plate{step.of})
		if got := d[id].plate.Name(); got != step.want || len(d) != 1 {
			t.Errorf("%s: %q of %d nodes", step.what, got, len(d))
		}
	}
}

func TestTheNearestAreAskedForFirstAndNobodyAllTheTime(t *testing.T) {
	now := time.Now()
	var nodes []wire.Fact
	for i := range wire.MaxNames + 50 {
		nodes = append(nodes, wire.Fact{ID: wire.NodeTag{byte(i >> 8), byte(i)}, Down: uint8(i % 3)})
	}
	d := directory{{9, 9}: {}}
	first := d.wants(now, nodes)
	if len(first) != wire.MaxNames || len(d) != wire.MaxNames {
		t.Fatalf("%d are asked for, %d are noted", len(first), len(d))
	}
	for _, f := range nodes {
		if f.Down < 2 && !slices.Contains(first, f.ID) {
			t.Errorf("one that is %d links down is not asked for", f.Down)
		}
	}
	if rest := d.wants(now, nodes); len(rest) != 50 || slices.ContainsFunc(rest, func(id wire.NodeTag) bool { return slices.Contains(first, id) }) {
		t.Errorf("%d are asked for then", len(rest))
	}
	d[nodes[0].ID] = entry{nameplate.Sign(stream.ChannelID{}, newKey(t), now, "a", false), now}
	if again := d.wants(now.Add(namelessFresh-1), nodes); len(again) != 0 {
		t.Errorf("%d are asked for once more", len(again))
	}
	if again := d.wants(now.Add(namelessFresh), nodes); len(again) != wire.MaxNames || slices.Contains(again, nodes[0].ID) {
		t.Errorf("%d of those that have told no name are asked for once more", len(again))
	}
	if again := d.wants(now.Add(nameFresh), nodes[:1]); len(again) != 1 || len(d) != 1 {
		t.Errorf("%d are asked for in the end, %d are kept", len(again), len(d))
	}
}
