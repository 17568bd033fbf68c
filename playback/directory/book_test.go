package directory

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"relay/relay/stream"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// entry is a channel's as nobody has signed it.
func entry(n int, at time.Time) *Entry {
	var id stream.ChannelID
	binary.BigEndian.PutUint32(id[:], uint32(n))
	return &Entry{Announcement: Announcement{ID: id, Seq: at.UnixMilli(), TTL: TTL, Live: true, Title: fmt.Sprintf("Channel %d", n)}}
}

func from(s string) Source { return Source{Prefix: netip.MustParsePrefix(s)} }

func TestTheNewestAnnouncementCounts(t *testing.T) {
	b := newBook(10)
	if why := b.put(noon, entry(1, noon), from("192.0.2.0/24")); why != "" {
		t.Fatal(why)
	}
	for _, at := range []time.Time{noon, noon.Add(-time.Second)} {
		if why := b.put(noon, entry(1, at), from("192.0.2.0/24")); why != RefusedReplayed {
			t.Errorf("%v: %q", at, why)
		}
	}
	newer := entry(1, noon.Add(time.Second))
	if why := b.put(noon.Add(time.Minute), newer, from("192.0.2.0/24")); why != "" || !newer.Began.Equal(noon) {
		t.Errorf("%q, live since %v", why, newer.Began)
	}
	if b.get(newer.Until().Add(-1), newer.ID) != newer || b.get(newer.Until(), newer.ID) != nil {
		t.Error("it counts for ten minutes")
	}
	if n := len(b.shelf(newer.Until()).byCrowd); n != 0 {
		t.Errorf("%d on the shelf", n)
	}
}

func TestAChannelGoesOffTheListAndStaysOff(t *testing.T) {
	b := newBook(10)
	b.put(noon, entry(1, noon), from("192.0.2.0/24"))
	gone := entry(1, noon.Add(2*time.Second))
	gone.TTL = 0
	if why := b.put(noon.Add(2*time.Second), gone, from("192.0.2.0/24")); why != "" {
		t.Fatal(why)
	}
	s := b.shelf(noon.Add(2 * time.Second))
	if len(s.byCrowd) != 0 || len(s.byID) != 1 {
		t.Errorf("%d listed, %d told to mirrors", len(s.byCrowd), len(s.byID))
	}
	if why := b.put(noon.Add(3*time.Second), entry(1, noon.Add(time.Second)), Source{Mirror: "m"}); why != RefusedReplayed {
		t.Errorf("an older one is back: %q", why)
	}
}

// The directory's clock was an hour ahead, as was that of a source on the same machine. Both are right now.
func TestWhatIsOfLaterDoesNotCount(t *testing.T) {
	b := newBook(10)
	later := noon.Add(time.Hour)
	for n := range 2 {
		if why := b.put(later, entry(n, later), from("192.0.2.0/24")); why != "" {
			t.Fatal(why)
		}
	}
	if e := b.get(noon, entry(0, noon).ID); e != nil {
		t.Errorf("%v counts", e)
	}
	if why := b.put(noon, entry(0, noon), from("192.0.2.0/24")); why != "" {
		t.Errorf("what is said now is not taken: %q", why)
	}
	if all := b.shelf(noon.Add(time.Second)).byCrowd; len(all) != 1 || all[0].Seq != noon.UnixMilli() {
		t.Errorf("%d listed", len(all))
	}
}

// Whoever floods a full list pushes out what is their own; those who have little stay.
func TestAFloodPushesOutItsOwn(t *testing.T) {
	b := newBook(100)
	for i := range 20 {
		b.put(noon, entry(i, noon), from(fmt.Sprintf("10.0.%d.0/24", i)))
	}
	for i := range 500 {
		if why := b.put(noon, entry(1000+i, noon), from("192.0.2.0/24")); why != "" {
			t.Fatalf("the flood's %d: %q", i, why)
		}
	}
	for i := range 2000 {
		b.put(noon, entry(5000+i, noon), Source{Mirror: "https://flood.example"})
	}
	for i := range 20 {
		if b.get(noon, entry(i, noon).ID) == nil {
			t.Errorf("%d was pushed out", i)
		}
	}
	flood, mirror := b.sources[from("192.0.2.0/24")].slots.Len(), b.sources[Source{Mirror: "https://flood.example"}].slots.Len()
	if len(b.of) != 100 || flood < 39 || mirror < 39 {
		t.Errorf("%d, of them %d and %d of the floods, which should share the rest", len(b.of), flood, mirror)
	}
	// A newcomer finds room, and where everybody has one there is none.
	if why := b.put(noon, entry(77, noon), from("198.51.100.0/24")); why != "" {
		t.Errorf("a newcomer: %q", why)
	}
	one := newBook(3)
	for i := range 3 {
		one.put(noon, entry(i, noon), from(fmt.Sprintf("10.0.%d.0/24", i)))
	}
	if why := one.put(noon, entry(9, noon), from("10.0.9.0/24")); why != RefusedFull {
		t.Errorf("one more: %q", why)
	}
	if why := one.put(noon, entry(8, noon), from("10.0.1.0/24")); why != "" || one.get(noon, entry(1, noon).ID) != nil {
		t.Errorf("in the place of one's own: %q", why)
	}
	if why := one.put(noon.Add(TTL), entry(9, noon.Add(TTL)), from("10.0.9.0/24")); why != "" {
		t.Errorf("when those before count no longer: %q", why)
	}
}

func TestWhatWasAnnouncedHereStaysItsAnnouncers(t *testing.T) {
	b := newBook(10)
	b.put(noon, entry(1, noon), from("192.0.2.0/24"))
	b.put(noon, entry(1, noon.Add(time.Second)), Source{Mirror: "m"})
	if s := b.of[entry(1, noon).ID]; s.share.from != from("192.0.2.0/24") || s.Seq != noon.Add(time.Second).UnixMilli() {
		t.Errorf("it is %v's", s.share.from)
	}
}

func TestSearchAndOrder(t *testing.T) {
	b := newBook(10)
	for i, title := range []string{"Chess finals", "CHESS for all", "Cooking", "Off air chess"} {
		e := entry(i, noon)
		e.Title, e.Listeners, e.Live = title, i, i != 3
		b.put(noon, e, from("192.0.2.0/24"))
	}
	s := b.shelf(noon)
	got := func(q string) (all string) {
		for _, e := range s.search(q) {
			all += e.Title + "; "
		}
		return all
	}
	for q, want := range map[string]string{
		"":             "Cooking; CHESS for all; Chess finals; Off air chess; ",
		" cHess ":      "CHESS for all; Chess finals; Off air chess; ",
		"finals chess": "Chess finals; ",
		"nothing":      "",
	} {
		if got(q) != want {
			t.Errorf("%q finds %s", q, got(q))
		}
	}
	if rest := s.after(entry(1, noon).ID); len(rest) != 2 || rest[0].Title != "Cooking" {
		t.Errorf("behind the second are %d", len(rest))
	}
}

func TestModerationIsReadAgain(t *testing.T) {
	a, d := entry(1, noon).ID, entry(2, noon).ID
	dir := t.TempDir()
	deny := filepath.Join(dir, "deny")
	write := func(text string, at time.Time) {
		if err := os.WriteFile(deny, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(deny, at, at); err != nil {
			t.Fatal(err)
		}
	}
	write("# spam\n\n"+a.String()+" sells watches\nrelay://"+d.String()+"@192.0.2.1:7144#x\n", noon)
	m := &Moderation{Deny: deny}
	if changed, err := m.Load(); !changed || err != nil || m.Lists(a) || m.Lists(d) || !m.Lists(stream.ChannelID{9}) {
		t.Errorf("%v, %v", changed, err)
	}
	if changed, err := m.Load(); changed || err != nil {
		t.Errorf("unchanged: %v, %v", changed, err)
	}
	write("a mistake\n", noon.Add(time.Second))
	if changed, err := m.Load(); changed || err == nil || m.Lists(a) {
		t.Errorf("a mistake changes nothing: %v, %v", changed, err)
	}
	write(d.String()+"\n", noon.Add(2*time.Second))
	if changed, err := m.Load(); !changed || err != nil || !m.Lists(a) || m.Lists(d) {
		t.Errorf("%v, %v", changed, err)
	}
	only := &Moderation{Allow: deny}
	if _, err := only.Load(); err != nil || !only.Lists(d) || only.Lists(a) {
		t.Error("only what is allowed is listed")
	}
	b := newBook(10)
	b.put(noon, entry(1, noon), Source{})
	b.put(noon, entry(2, noon), Source{})
	b.tidy(noon, m.Lists)
	if b.get(noon, d) != nil || b.get(noon, a) == nil {
		t.Error("what is denied later is taken off")
	}
}

func BenchmarkShelf(b *testing.B) {
	book := full100k()
	for b.Loop() {
		book.changed++
		book.last = nil
		book.shelf(noon)
	}
}

func BenchmarkSearch(b *testing.B) {
	s := full100k().shelf(noon)
	for b.Loop() {
		s.search("channel 4242")
	}
}

func full100k() *book {
	book := newBook(MaxEntries)
	for i := range MaxEntries {
		e := entry(i, noon)
		e.Listeners = i * 7919 % 10007
		book.put(noon, e, Source{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{11, byte(i >> 8), byte(i), 0}), 24)})
	}
	return book
}
