package relay

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/stream"
	"relay/relay/wire"
)

// signSums makes sums of frames as wire/spec.md says, whatever the frames are.
func signSums(key ed25519.PrivateKey, first stream.Position, frames ...[]byte) *stream.Sums {
	fields := []byte{stream.Version, 0}
	for _, n := range []uint64{first.Epoch.Ms, first.Epoch.Rand, first.Seq} {
		fields = binary.BigEndian.AppendUint64(fields, n)
	}
	var digests []byte
	for _, f := range frames {
		sum := sha256.Sum256(f)
		digests = append(digests, sum[:]...)
	}
	id, sum := stream.IDOf(key), sha256.Sum256(digests)
	signed := slices.Concat([]byte("relay/1 sums\x00"), id[:], fields, sum[:])
	body := slices.Concat(fields, digests, ed25519.Sign(key, signed))
	b := make([]byte, stream.PreludeLen, stream.PreludeLen+len(body))
	stream.PutPrelude(b, stream.FrameSums, len(body))
	s, err := stream.ParseSums(append(b, body...))
	if err != nil {
		panic(err)
	}
	return s
}

// covered is a stream of pictures of some chunks each, and a node that two parents bring it to.
type covered struct {
	t      testing.TB
	key    ed25519.PrivateKey
	writer *stream.Writer
	source *stream.Ring
	made   *stream.Cursor
	node   *receiver
}

// receiver is a node's way in.
type receiver struct {
	intake
	links []*uplink
}

func newCovered(t testing.TB) *covered {
	key, now := newKey(t), time.Now()
	c := &covered{t: t, key: key, source: stream.NewRing(stream.Limits{})}
	c.writer = stream.NewWriter(c.source, key, stream.NextEpoch(stream.Epoch{}, now, 1), now)
	if err := c.writer.SetHeader([]byte("header")); err != nil {
		t.Fatal(err)
	}
	c.made = c.source.Cursor()
	c.node = c.receiver(2)
	return c
}

// receiver makes a node that knows the header.
func (c *covered) receiver(links int) *receiver {
	ring := stream.NewRing(stream.Limits{})
	ring.SetHeader(c.source.Header())
	r := &receiver{intake: newIntake(stream.IDOf(c.key), ring, time.Now())}
	for range links {
		u := &uplink{
			intake: &r.intake, sweeper: &sweeper{}, stolen: func(error) {}, delivered: func() {},
			repeats: rate.NewLimiter(repeatRate, repeatBurst),
		}
		u.feeding.Store(true)
		r.links = append(r.links, u)
	}
	return r
}

// tag has the source write a tag.
func (c *covered) tag(b []byte, f stream.TagFlags) {
	c.t.Helper()
	if err := c.writer.WriteTag(b, f|stream.Gathers); err != nil {
		c.t.Fatal(err)
	}
}

// frames are what a parent that knows relay/4 sends of what the source has made since, each frame's bytes.
func (c *covered) frames() (all [][]byte) {
	c.t.Helper()
	var sent *stream.Sums
	for {
		it, wait, err := c.made.Poll()
		if err != nil {
			c.t.Fatal(err)
		}
		if wait != nil {
			return all
		}
		if s := it.Chunk.Sums(); s != nil && s != sent {
			sent = s
			all = append(all, s.Frame())
		}
		all = append(all, it.Chunk.Frame())
	}
}

// takeAll has frames come over a link, and returns how that ends it.
func (u *uplink) takeAll(frames ...[]byte) error {
	r := wire.NewReader(bytes.NewReader(slices.Concat(frames...)), wire.Parent).Lend()
	for range frames {
		f, err := r.Next()
		if err == nil {
			err = u.take(f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func flipped(frame []byte, at int) []byte {
	b := slices.Clone(frame)
	b[(at+len(b))%len(b)] ^= 1
	return b
}

func isSums(frame []byte) bool { return frame[0] == stream.FrameSums }

// With sums a chunk's own signature is not looked at, and what is altered is refused for the same reason as
// without.
func TestWhatSumsCoverIsTakenByThemAndNothingElseIs(t *testing.T) {
	for name, c := range map[string]struct {
		change func(c *covered, f [][]byte) [][]byte // of sums, and the four chunks of a picture
		took   int                                   // chunks
		reason string
	}{
		"nothing":                {func(c *covered, f [][]byte) [][]byte { return f }, 4, ""},
		"no sums":                {func(c *covered, f [][]byte) [][]byte { return f[1:] }, 4, ""},
		"sums after the first":   {func(c *covered, f [][]byte) [][]byte { f[0], f[1] = f[1], f[0]; return f }, 4, ""},
		"another payload":        {func(c *covered, f [][]byte) [][]byte { f[3] = flipped(f[3], 100); return f }, 2, "forged"},
		"another signature":      {func(c *covered, f [][]byte) [][]byte { f[3] = flipped(f[3], -1); return f }, 2, "forged"},
		"a bad signature":        {func(c *covered, f [][]byte) [][]byte { f[0] = flipped(f[0], -1); return f }, 0, "forged"},
		"another digest":         {func(c *covered, f [][]byte) [][]byte { f[0] = flipped(f[0], 70); return f }, 0, "forged"},
		"of another epoch":       {func(c *covered, f [][]byte) [][]byte { f[0] = flipped(f[0], 20); return f }, 0, "protocol"},
		"from another number on": {func(c *covered, f [][]byte) [][]byte { f[0] = flipped(f[0], 23); return f }, 0, "protocol"},
		"of another version":     {func(c *covered, f [][]byte) [][]byte { f[0] = flipped(f[0], 4); return f }, 0, "version"},
		"half a digest": {func(c *covered, f [][]byte) [][]byte {
			f[0] = slices.Delete(slices.Clone(f[0]), 40, 56)
			stream.PutPrelude(f[0], stream.FrameSums, len(f[0])-stream.PreludeLen)
			return f
		}, 0, "protocol"},
		"followed by nothing": {func(c *covered, f [][]byte) [][]byte { return f[:1] }, 0, ""},
		"followed by a chunk beyond": {func(c *covered, f [][]byte) [][]byte {
			c.tag([]byte{1}, stream.EndsChunk)
			return [][]byte{f[0], c.frames()[0]}
		}, 0, "protocol"},
		"twice":                           {func(c *covered, f [][]byte) [][]byte { return slices.Insert(f, 0, f[0]) }, 0, "protocol"},
		"once more":                       {func(c *covered, f [][]byte) [][]byte { return slices.Insert(f, 2, f[0]) }, 4, ""},
		"once more, ahead of each, often": {func(c *covered, f [][]byte) [][]byte { return slices.Concat(f, slices.Repeat([][]byte{f[0], f[4]}, 9)) }, 4, "protocol"},
		"sums that are signed, of something else, and chunks that are": {func(c *covered, f [][]byte) [][]byte {
			first, _ := stream.ParseChunk(f[1])
			f[0] = signSums(c.key, first.Position(), f[2], f[3], f[4]).Frame()
			return f
		}, 4, ""},
		"sums that are signed, of a chunk that is not": {func(c *covered, f [][]byte) [][]byte {
			first, _ := stream.ParseChunk(f[1])
			f[2] = flipped(f[2], -1)
			f[0] = signSums(c.key, first.Position(), f[1], f[2], f[3], f[4]).Frame()
			return f
		}, 4, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newCovered(t)
				s.tag(make([]byte, 4*stream.MaxPayload), stream.StartHere|stream.EndsChunk)
				frames := s.frames()
				if len(frames) != 5 || !isSums(frames[0]) {
					t.Fatalf("%d frames", len(frames))
				}
				reason := ""
				if err := s.node.links[0].takeAll(c.change(s, frames)...); err != nil {
					reason = endOf(err).Reason.String()
				}
				if got := s.node.ring.Stats().Held; got != c.took || reason != c.reason {
					t.Errorf("%d chunks were taken, and the link ends with %q; want %d, %q", got, reason, c.took, c.reason)
				}
			})
		})
	}
}

// What only the owner of the key can do, to sign sums over a chunk that has no signature of its own, is no
// proof of a theft, and no fault of a node that passes it on over a link with sums.
func TestAChunkThatOnlySumsVouchForProvesNothing(t *testing.T) {
	for _, kept := range []bool{false, true} {
		t.Run(fmt.Sprintf("behind a hole %t", kept), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newCovered(t)
				picture := func() [][]byte {
					s.tag(make([]byte, 4*stream.MaxPayload), stream.StartHere|stream.EndsChunk)
					return s.frames()
				}
				one, two := s.node.links[0], s.node.links[1]
				if err := one.takeAll(picture()...); err != nil {
					t.Fatal(err)
				}
				if kept {
					picture() // is missing
				}
				signed := picture()
				bad := flipped(signed[2], -1)
				first, err := stream.ParseChunk(signed[1])
				if err != nil {
					t.Fatal(err)
				}
				vouched := [][]byte{signSums(s.key, first.Position(), signed[1], bad, signed[3], signed[4]).Frame(), signed[1], bad, signed[3], signed[4]}
				one.proved.Store(!kept)
				one.told.Store(true)
				two.told.Store(true)
				if err := one.takeAll(vouched...); err != nil {
					t.Fatal(err)
				}
				if err := two.takeAll(signed...); err != nil {
					t.Errorf("the one with signatures, over another link: %v", err)
				}
				s.node = s.receiver(2)
				for _, u := range s.node.links {
					u.told.Store(true)
				}
				if err := s.node.links[0].takeAll(signed...); err != nil {
					t.Fatal(err)
				}
				if err := s.node.links[1].takeAll(vouched...); err != nil {
					t.Errorf("the one without, behind the one with: %v", err)
				}
			})
		})
	}
}

// A chunk that sums vouch for is half of a proof as any other if it is signed.
func TestATheftIsFoundAmongChunksThatSumsCover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCovered(t)
		twin := stream.NewRing(stream.Limits{})
		w := stream.NewWriter(twin, s.key, s.writer.Epoch(), s.writer.Start())
		if err := w.SetHeader([]byte("header")); err != nil {
			t.Fatal(err)
		}
		s.tag(make([]byte, 4*stream.MaxPayload), stream.StartHere|stream.EndsChunk)
		one := s.frames()
		if err := w.WriteTag(bytes.Repeat([]byte{1}, 4*stream.MaxPayload), stream.StartHere|stream.EndsChunk); err != nil {
			t.Fatal(err)
		}
		s.made = twin.Cursor()
		if err := s.node.links[0].takeAll(one...); err != nil {
			t.Fatal(err)
		}
		err := s.node.links[1].takeAll(s.frames()...)
		stolen, ok := errors.AsType[*StolenError](err)
		if !ok || stolen.Proof.Verify(stream.IDOf(s.key)) != nil {
			t.Errorf("the link ends with %v", err)
		}
	})
}

// Whatever happens to frames on the way, over two links at once, one with sums and one that may have none,
// for who is there from the beginning and who comes later: what is taken is what was signed, and each
// link ends for the reason for which it would without sums.
func TestWithSumsAllIsTakenAndRefusedAsWithout(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 60 {
		synctest.Test(t, func(t *testing.T) { takeBothWays(t, rnd) })
	}
}

// frameOver is a frame that comes over one of two links.
type frameOver struct {
	link  int
	frame []byte
}

func takeBothWays(t *testing.T, rnd *rand.Rand) {
	s := newCovered(t)
	var links [2][][]byte
	for i := range 12 {
		f := stream.TagFlags(rnd.IntN(2)) * stream.EndsChunk
		if i == 0 || rnd.IntN(4) == 0 {
			f |= stream.StartHere
		}
		s.tag(randomBytes(rnd, 1+rnd.IntN(8*stream.MaxPayload)), f)
	}
	if err := s.writer.Flush(); err != nil {
		t.Fatal(err)
	}
	all := s.frames()
	for i := range links {
		links[i] = slices.Clone(all)
		if rnd.IntN(3) == 0 { // it comes later
			at := rnd.IntN(len(all))
			for at < len(all)-1 && (isSums(all[at]) || stream.Flags(all[at][5])&stream.Key == 0) {
				at++
			}
			if at > 0 && isSums(all[at-1]) {
				at--
			}
			links[i] = links[i][at:]
		}
	}
	if rnd.IntN(2) == 0 { // an older parent
		links[1] = slices.DeleteFunc(links[1], isSums)
	}
	altered := false
	for range rnd.IntN(4) {
		f := links[rnd.IntN(2)]
		i := rnd.IntN(len(f))
		if isSums(f[i]) {
			continue
		}
		switch rnd.IntN(3) {
		case 0: // beyond what says which one it is, which would make it another link's fault
			f[i], altered = flipped(f[i], 38+rnd.IntN(len(f[i])-38)), true
		case 1: // once more, in place of the next
			if i+1 < len(f) && !isSums(f[i+1]) {
				f[i+1] = f[i]
			}
		default:
			if i+1 < len(f) && !isSums(f[i+1]) {
				f[i], f[i+1] = f[i+1], f[i]
			}
		}
	}
	var order []frameOver
	next := [2]int{}
	for next[0] < len(links[0]) || next[1] < len(links[1]) {
		i := rnd.IntN(2)
		for n := rnd.IntN(5); n > 0 && next[i] < len(links[i]); n-- {
			order = append(order, frameOver{i, links[i][next[i]]})
			next[i]++
		}
	}
	with, without := s.receiver(2), s.receiver(2)
	got, want := with.hear(order, true), without.hear(order, false)
	for i := range got {
		if got[i] != want[i] && got[i] != "protocol: not followed" {
			t.Errorf("link %d ends with %q, without sums with %q", i, got[i], want[i])
		}
	}
	same := got == want
	if same && with.ring.Stats().Counts != without.ring.Stats().Counts {
		t.Errorf("with sums %+v, without %+v", with.ring.Stats(), without.ring.Stats())
	}
	if !altered && (got[0] == "forged" || got[1] == "forged") {
		t.Errorf("nothing was altered, and the links end with %q", got)
	}
	for c := with.ring.Resume(stream.Position{Epoch: s.writer.Epoch()}); ; {
		it, wait, err := c.Poll()
		if err != nil {
			t.Fatal(err)
		}
		if wait != nil {
			return
		}
		if !s.source.At(it.Chunk.Position()).Same(it.Chunk) {
			t.Fatalf("chunk %d is not what was signed", it.Chunk.Seq())
		}
		if v := it.Chunk.Sums(); v != nil && (v.Verify(with.id) != nil || !v.Covers(it.Chunk.Position())) {
			t.Fatalf("chunk %d has sums that do not hold", it.Chunk.Seq())
		}
	}
}

// hear has frames come, with sums or without them, and returns how each link ends.
func (r *receiver) hear(order []frameOver, sums bool) (ends [2]string) {
	var readers [2]*wire.Reader
	var came [2]bytes.Buffer
	for i := range readers {
		readers[i] = wire.NewReader(&came[i], wire.Parent).Lend()
	}
	for _, o := range order {
		if ends[o.link] != "" || isSums(o.frame) && !sums {
			continue
		}
		came[o.link].Write(o.frame)
		f, err := readers[o.link].Next()
		switch {
		case err != nil && errors.Is(err, wire.ErrNotDue):
			ends[o.link] = "protocol: not followed"
		case err == nil:
			err = r.links[o.link].take(f)
		}
		if err != nil && ends[o.link] == "" {
			ends[o.link] = endOf(err).Reason.String()
		}
	}
	return ends
}

func randomBytes(rnd *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// Nodes of relay/4 and of those before take the stream from each other, and sums go as far as all on the
// way know them.
func TestSumsGoAsFarAsNodesKnowThem(t *testing.T) {
	source, w := newSource(t, 4)
	older := func(s *Node) {
		s.linkTLS, s.portTLS = s.ident.tlsConfig(alpn3, alpn2, alpn1), s.ident.tlsConfig(alpn3, alpn2, alpn1, alpnGossip)
	}
	below := func(parent *station, change func(*Node)) *station {
		return newStation(t, 2, func(n *Node, s *station) (*Channel, error) {
			if change != nil {
				change(n)
			}
			return n.Watch(parent.invite(), func(Notice) {})
		})
	}
	line := func(changes ...func(*Node)) (all []*station) {
		parent := source
		for i, change := range changes {
			s := below(parent, change)
			eventually(t, "it is in its place", func() bool { in := s.info(t); return in.Attached && in.Depth == i+1 })
			all, parent = append(all, s), s
		}
		return all
	}
	newer, oldest := line(nil, nil, older, nil), line(older, nil, older)
	const pictures, chunks = 20, 5
	for range pictures {
		if err := w.WriteTag(make([]byte, chunks*stream.MaxPayload), stream.StartHere|stream.EndsChunk); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		of   *station
		sums bool
	}{
		"a child of the source":       {newer[0], true},
		"its child":                   {newer[1], true},
		"an older child of that":      {newer[2], false},
		"a newer child of an older":   {newer[3], false},
		"an older child":              {oldest[0], false},
		"a newer one below":           {oldest[1], false},
		"an older one below that one": {oldest[2], false},
	} {
		eventually(t, name+" has all", func() bool { return c.of.ring.Head() == source.ring.Head() })
		if st := c.of.ring.Stats(); st.Lost != 0 || st.Received != pictures*chunks {
			t.Errorf("%s: %+v", name, st.Counts)
		}
		for seq := range uint64(pictures * chunks) {
			got := c.of.ring.At(stream.Position{Epoch: w.Epoch(), Seq: seq + 1})
			if got == nil || !got.Same(source.ring.At(got.Position())) || (got.Sums() != nil) != c.sums {
				t.Fatalf("%s: chunk %d has sums: want %t", name, seq+1, c.sums)
			}
		}
	}
}
