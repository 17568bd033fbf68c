package pcpin

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"relay/relay/pcp/pcptest"
)

var update = flag.Bool("update", false, "write the conversations in testdata anew")

// golden compares a conversation with the one that is kept.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is another conversation now (-update writes it):\n%s", path, got)
	}
}

// What is said where we pull, byte by byte, with both kinds of PeerCast. The models' bytes are
// written by what is known of these (relay/pcp/pcptest).
func TestConversations(t *testing.T) {
	small := clipOf(2)
	for _, c := range []struct {
		name string
		run  func(w *world, kind pcptest.Kind)
	}{
		{"pull", func(w *world, kind pcptest.Kind) {
			tip, _ := w.model(kind, 10, 2)
			ch := tip.Broadcast(pcptest.ID(channel), info)
			ch.SetHead(head)
			w.pull(at(10))
			time.Sleep(time.Second)
			ch.Write(small...)
			time.Sleep(time.Second)
			other := info
			other.Title, other.Creator = "今", "x"
			ch.SetInfo(other)
			time.Sleep(time.Second)
			ch.SetHead(headOf(script, config))
			ch.Write(small[:1]...)
			time.Sleep(time.Second)
			ch.End()
			time.Sleep(100 * time.Millisecond)
		}},
		{"full", func(w *world, kind pcptest.Kind) {
			tip, _ := w.model(kind, 10, 1)
			relay, _ := w.model(kind, 11, 2)
			ch := tip.Broadcast(pcptest.ID(channel), info)
			ch.SetHead(head)
			go relay.Pull(w.ctx, pcptest.ID(channel), at(10).String())
			time.Sleep(time.Second)
			ch.Write(small...)
			w.pull(at(10))
			time.Sleep(time.Second)
		}},
		{"over6", func(w *world, kind pcptest.Kind) {
			w.us.Also(netip.MustParseAddr("2001:db8::1"))
			at := netip.MustParseAddrPort("[2001:db8::10]:7144")
			tip, _ := w.modelAt(kind, 10, at, 1)
			ch := tip.Broadcast(pcptest.ID(channel), info)
			ch.SetHead(head)
			w.pull(at)
			time.Sleep(time.Second)
			ch.Write(small...)
			time.Sleep(time.Second)
			ch.End()
			time.Sleep(100 * time.Millisecond)
		}},
		{"absent", func(w *world, kind pcptest.Kind) {
			w.model(kind, 10, 1)
			w.pull(at(10))
			time.Sleep(time.Second)
		}},
		{"self", func(w *world, kind pcptest.Kind) {
			tip, _ := w.model(kind, 10, 1)
			tip.Session = pcptest.ID{1, 1}
			tip.Broadcast(pcptest.ID(channel), info)
			w.pull(at(10))
			time.Sleep(time.Second)
		}},
		{"leave", func(w *world, kind pcptest.Kind) {
			tip, _ := w.model(kind, 10, 1)
			ch := tip.Broadcast(pcptest.ID(channel), info)
			ch.SetHead(head)
			w.pull(at(10))
			time.Sleep(time.Second)
			ch.Write(small...)
			time.Sleep(time.Second)
			w.end()
			<-w.run
			w.end = nil
		}},
	} {
		for _, kind := range kinds {
			t.Run(c.name+"-"+kind.String(), func(t *testing.T) {
				var said string
				inBubble(t, func(w *world) {
					w.tape = &pcptest.Tape{}
					c.run(w, kind)
					said = w.tape.Text(pcptest.How{Packets: 3})
				})
				golden(t, c.name+"-"+kind.String(), said)
			})
		}
	}
}

// clipOf is the beginning of a stream whose pictures differ, of a key frame of 20 kB and n others.
func clipOf(n int) (tags [][]byte) {
	for i := range n + 1 {
		if i == 0 {
			tags = append(tags, []byte(tagOf(0, 0x17, 20_000)))
			continue
		}
		tags = append(tags, []byte(tagOf(uint32(i), 0x27, 100+i)))
	}
	return tags
}
