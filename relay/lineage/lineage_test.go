package lineage

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"relay/relay/stream"
	"relay/tree"
)

// node is one that has a key, made of its number.
type node struct {
	key ed25519.PrivateKey
	id  tree.ID
}

func newNode(n uint32) node {
	var seed [ed25519.SeedSize]byte
	binary.BigEndian.PutUint32(seed[:], n)
	key := ed25519.NewKeyFromSeed(seed[:])
	return node{key, nodeOf(key.Public().(ed25519.PublicKey))}
}

func (n node) public() ed25519.PublicKey { return n.key.Public().(ed25519.PublicKey) }

const began = 5_000 // ms of the root's clock

// chain returns a channel's key, its run, and nodes each below the one before with their lineages.
func chain(length int) (node, Run, []node, []Lineage) {
	channel := newNode(1 << 30)
	r := Run{stream.ChannelID(channel.public()), stream.Epoch{Ms: 7, Rand: 9}}
	nodes, lines := []node{newNode(0)}, []Lineage{}
	lines = append(lines, r.Root(channel.key, nodes[0].id, began))
	for i := 1; i < length; i++ {
		n := newNode(uint32(i))
		lines = append(lines, r.Child(lines[i-1], nodes[i-1].key, n.id, began, began))
		nodes = append(nodes, n)
	}
	return channel, r, nodes, lines
}

func TestALineageProvesADepth(t *testing.T) {
	_, r, nodes, lines := chain(MaxDepth + 1)
	v := NewVerifier(r)
	for _, fresh := range []bool{true, false} {
		for i, l := range lines {
			if depth, err := v.Check(l, nodes[i].id, began+1); depth != i || err != nil {
				t.Fatalf("depth %d, checked anew %v: %d, %v", i, fresh, depth, err)
			}
		}
	}
	if l := r.Child(lines[MaxDepth], nodes[MaxDepth].key, newNode(99).id, began, began); l != nil {
		t.Errorf("a node at depth %d has a child's lineage", MaxDepth)
	}
}

func TestWhatProvesNothing(t *testing.T) {
	channel, r, nodes, lines := chain(4)
	life := uint64(Life.Milliseconds())
	other := r
	other.Epoch.Rand++
	mallory := newNode(77)
	// Mallory is a child of nodes[3], and so at depth 4.
	hers := r.Child(lines[3], nodes[3].key, mallory.id, began, began)
	forged := r.Child(lines[0], mallory.key, mallory.id, began, began) // as if she were the root
	for name, c := range map[string]struct {
		l    Lineage
		node tree.ID
		now  uint64
		want error
	}{
		"nothing":                       {nil, mallory.id, began, ErrLength},
		"half a place":                  {lines[1][:PlaceLen+7], nodes[1].id, began, ErrLength},
		"too many places":               {bytes.Repeat(lines[0], MaxDepth+2), nodes[0].id, began, ErrLength},
		"somebody else's":               {lines[1], mallory.id, began, ErrSignature},
		"a part of her own":             {hers[:4*PlaceLen], mallory.id, began, ErrSignature},
		"her own without the middle":    {append(bytes.Clone(hers[:PlaceLen]), hers[4*PlaceLen:]...), mallory.id, began, ErrSignature},
		"her own without the root":      {hers[PlaceLen:], mallory.id, began, ErrRoot},
		"signed by herself":             {forged, mallory.id, began, ErrSignature},
		"a channel of her own":          {r.Root(mallory.key, mallory.id, began), mallory.id, began, ErrRoot},
		"another run":                   {other.Root(channel.key, nodes[0].id, began), nodes[0].id, began, ErrSignature},
		"it has expired":                {hers, mallory.id, began + life, ErrExpired},
		"one above it has expired":      {r.extend(lines[1], nodes[1].key, mallory.id, began+life, began), mallory.id, began + life, ErrExpired},
		"it holds for ever":             {r.extend(lines[1], nodes[1].key, mallory.id, began+2*life, began), mallory.id, began, ErrFuture},
		"it holds longer than was said": {withUntil(hers, 4, began+life+1), mallory.id, began, ErrSignature},
	} {
		v := NewVerifier(r)
		v.Check(hers, mallory.id, began) // what was good must not make good what is not
		v.Check(lines[3], nodes[3].id, began)
		if depth, err := v.Check(c.l, c.node, c.now); !errors.Is(err, c.want) {
			t.Errorf("%s: depth %d, %v, want %v", name, depth, err, c.want)
		}
	}
}

func withUntil(l Lineage, i int, until uint64) Lineage {
	l = bytes.Clone(l)
	binary.BigEndian.PutUint64(l[i*PlaceLen+ed25519.PublicKeySize:], until)
	return l
}

// A liar that holds all lineages that it and its friends were ever given, all public bytes, and the
// keys of its friends, can be believed nearer to the root than it is only if one of those that were
// above it is a friend.
func TestALiarGainsNothingWithoutAnAncestor(t *testing.T) {
	const seed = 3
	rnd := rand.New(rand.NewPCG(seed, 0))
	for round := range 40 {
		channel := newNode(1 << 30)
		r := Run{stream.ChannelID(channel.public()), stream.Epoch{Ms: 7, Rand: uint64(round)}}
		// A random tree: of each node its parent, depth and lineage.
		nodes, parents, lines := []node{newNode(0)}, []int{-1}, []Lineage{nil}
		lines[0] = r.Root(channel.key, nodes[0].id, began)
		for i := 1; i < 24; i++ {
			p := rnd.IntN(i)
			nodes, parents = append(nodes, newNode(uint32(i))), append(parents, p)
			lines = append(lines, r.Child(lines[p], nodes[p].key, nodes[i].id, began, began))
		}
		liar := 1 + rnd.IntN(len(nodes)-1)
		above := map[int]bool{}
		for p := parents[liar]; p >= 0; p = parents[p] {
			above[p] = true
		}
		var friends []int
		for i := range nodes {
			if i == liar || !above[i] && rnd.IntN(3) == 0 {
				friends = append(friends, i)
			}
		}
		// The best that friends can do for the liar with a key of theirs is below their own place.
		// So what a liar gains it gains by being a child of theirs, which it may be in truth.
		best := lines[liar].Depth()
		for _, f := range friends {
			if f != liar {
				best = min(best, lines[f].Depth()+1)
			}
		}
		v := NewVerifier(r)
		for range 300 {
			l := concoct(rnd, r, nodes, lines, friends, nodes[liar].id)
			if depth, err := v.Check(l, nodes[liar].id, began+1); err == nil && depth < best {
				t.Fatalf("seed %d, round %d: a liar at depth %d is believed at %d", seed, round, lines[liar].Depth(), depth)
			}
		}
		if depth, err := v.Check(lines[liar], nodes[liar].id, began+1); err != nil || depth != lines[liar].Depth() {
			t.Fatalf("seed %d, round %d: the truth is not believed: %d, %v", seed, round, depth, err)
		}
	}
}

// concoct puts a lineage together of parts of others, with the keys of friends.
func concoct(rnd *rand.Rand, r Run, nodes []node, lines []Lineage, friends []int, liar tree.ID) Lineage {
	from := lines[rnd.IntN(len(lines))]
	l := bytes.Clone(from[:PlaceLen*rnd.IntN(from.Depth()+2)])
	for range rnd.IntN(3) {
		friend := nodes[friends[rnd.IntN(len(friends))]]
		to := liar
		if rnd.IntN(3) == 0 {
			to = nodes[friends[rnd.IntN(len(friends))]].id
		}
		l = r.extend(l, friend.key, to, began, began)
	}
	switch other := lines[rnd.IntN(len(lines))]; rnd.IntN(4) {
	case 0:
		l = append(l, other[PlaceLen*rnd.IntN(other.Depth()+1):]...)
	case 1:
		if len(l) > 0 {
			l[rnd.IntN(len(l))] ^= 1 << rnd.IntN(8)
		}
	}
	return l
}

// Nobody is made older by one who has come later itself.
func TestANodeIsNoOlderThanThoseWhoVouchForIt(t *testing.T) {
	channel := newNode(1 << 30)
	r := Run{stream.ChannelID(channel.public()), stream.Epoch{Ms: 7, Rand: 9}}
	const now = 1_000_000
	root, liar, friend := newNode(0), newNode(1), newNode(2)
	hers := r.Child(r.Root(channel.key, root.id, now), root.key, liar.id, now, now-5_000)
	for _, c := range []struct {
		claims, want uint64
	}{{0, now - 5_000}, {now - 1_000, now - 1_000}, {now + 9_000, now}} {
		since, err := NewVerifier(r).Since(r.Child(hers, liar.key, friend.id, now, c.claims), friend.id, now)
		if err != nil || since != c.want {
			t.Errorf("since %d, as one says who is there since %d: %d, %v", c.claims, now-5_000, since, err)
		}
		below := r.Child(r.Child(hers, liar.key, friend.id, now, c.claims), friend.key, newNode(3).id, now, now)
		if age := below.Age(now); age != time.Duration(now-c.want)*time.Millisecond {
			t.Errorf("since %d: the youngest above is there for %v", c.claims, age)
		}
	}
	l := r.Child(hers, liar.key, friend.id, now+20_000, 0)
	for _, c := range []struct {
		now  uint64
		want time.Duration
	}{{now, 30 * time.Second}, {now + 20_000, 10 * time.Second}, {now + 30_000, 0}, {now + 90_000, 0}} {
		if left := l.Left(c.now); left != c.want {
			t.Errorf("%d ms later it holds for %v, want %v", c.now-now, left, c.want)
		}
	}
	if l.By() != liar.id {
		t.Error("it is not by who has signed it")
	}
}

func TestAVerifierRemembersABoundedNumber(t *testing.T) {
	channel, r, nodes, lines := chain(2)
	_ = channel
	v := NewVerifier(r)
	for i := range remembered * 2 {
		n := newNode(uint32(1000 + i))
		if _, err := v.Check(r.Child(lines[0], nodes[0].key, n.id, began, began), n.id, began); err != nil {
			t.Fatal(err)
		}
		if got := len(v.good) + len(v.older); got > remembered {
			t.Fatalf("%d signatures are remembered", got)
		}
	}
}

func BenchmarkCheckDepth10(b *testing.B) {
	_, r, nodes, lines := chain(11)
	for _, c := range []struct {
		name string
		v    func() *Verifier
	}{
		{"never seen", func() *Verifier { return NewVerifier(r) }},
		{"seen", func() func() *Verifier { v := NewVerifier(r); return func() *Verifier { return v } }()},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.v().Check(lines[10], nodes[10].id, began); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
