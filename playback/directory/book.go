package directory

import (
	"bytes"
	"cmp"
	"container/heap"
	"container/list"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"relay/relay/refusal"
	"relay/relay/stream"
)

// MaxEntries is how many channels a directory lists at most, unless its configuration says otherwise: some 150 MB.
const MaxEntries = 100_000

// Entry is one channel of a list. It is for reading only.
type Entry struct {
	Signed
	Announcement
	Checked []netip.AddrPort // those of the places at which the channel answered
	Taken   time.Time        // when this directory took it in
	Began   time.Time        // since when the channel is live, as far as the list has seen; zero if it is not

	announced time.Time // when it was announced here the last time; zero if it was not

	from   Source // whose share of the list it is
	folded string // what is searched, in lower case
}

// Source is where an entry comes from: whose share of the list it counts as.
type Source struct {
	Prefix netip.Prefix // of who announced it; zero for a mirror
	Mirror string       // the address of another directory
}

// book holds the newest announcement of each channel. When it is full, whoever has most gives way: of one
// neighbourhood (/24, /48) or mirror the oldest. It is safe for concurrent use.
type book struct {
	most int

	mu      sync.Mutex
	of      map[stream.ChannelID]*slot
	sources map[Source]*share
	order   shares
	swept   time.Time
	changed uint64

	shelfMu sync.Mutex
	last    *shelf
}

// slot is one place in the book.
type slot struct {
	*Entry
	share *share
	at    *list.Element // in it
}

// share is what one source has, the oldest first.
type share struct {
	from  Source
	slots *list.List // of *slot
	index int        // in the book's order
}

// shares is a heap, the largest first.
type shares []*share

func (s shares) Len() int           { return len(s) }
func (s shares) Less(i, j int) bool { return s[i].slots.Len() > s[j].slots.Len() }
func (s shares) Swap(i, j int)      { s[i], s[j] = s[j], s[i]; s[i].index, s[j].index = i, j }
func (s *shares) Push(x any)        { x.(*share).index = len(*s); *s = append(*s, x.(*share)) }
func (s *shares) Pop() any {
	x := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return x
}

func newBook(most int) *book {
	return &book{most: most, of: make(map[stream.ChannelID]*slot), sources: make(map[Source]*share)}
}

// sweepEvery is how often what counts no longer is looked for while nobody asks for the list.
const sweepEvery = 30 * time.Second

// get returns a channel's entry, nil if there is none that counts.
func (b *book) get(now time.Time, id stream.ChannelID) *Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.of[id]; s != nil && counts(s.Entry, now) {
		return s.Entry
	}
	return nil
}

// put takes an entry in that is newer than what is known, or says why not. It sets what of an entry depends on the one
// before. What has been announced here stays its announcer's share when a mirror knows newer.
func (b *book) put(now time.Time, e *Entry, from Source) refusal.Reason {
	e.Taken = now
	if from.Mirror == "" {
		e.announced = now
	}
	e.folded = strings.ToLower(e.Title + "\n" + e.Genre + "\n" + e.Description + "\n" + e.ID.String())
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.of[e.ID]
	if was != nil && !counts(was.Entry, now) { // also if it is of later, as this machine's clock was set back
		b.remove(was)
		was = nil
	}
	switch {
	case was != nil && e.Seq <= was.Seq:
		return RefusedReplayed
	case was == nil && e.Gone():
		return "" // there is nothing to take off the list
	case was == nil && len(b.of) >= b.most && !b.makeRoom(now, from):
		return RefusedFull
	}
	if e.Live && !e.Gone() {
		if e.Began = now; was != nil && was.Live && !was.Gone() {
			e.Began = was.Began
		}
	}
	if was != nil {
		if from.Mirror != "" && was.share.from.Mirror == "" {
			from, e.announced = was.share.from, was.announced
		}
		b.remove(was)
	}
	b.add(e, from)
	return ""
}

func (b *book) add(e *Entry, from Source) {
	sh := b.sources[from]
	if sh == nil {
		sh = &share{from: from, slots: list.New()}
		b.sources[from] = sh
		heap.Push(&b.order, sh)
	}
	e.from = from
	s := &slot{Entry: e, share: sh}
	s.at = sh.slots.PushBack(s)
	heap.Fix(&b.order, sh.index)
	b.of[e.ID] = s
	b.changed++
}

func (b *book) remove(s *slot) {
	delete(b.of, s.ID)
	s.share.slots.Remove(s.at)
	if s.share.slots.Len() == 0 {
		heap.Remove(&b.order, s.share.index)
		delete(b.sources, s.share.from)
	} else {
		heap.Fix(&b.order, s.share.index)
	}
	b.changed++
}

// makeRoom removes the oldest of who has most, if that is more than whoever comes would have; else the oldest of
// the comer's own.
func (b *book) makeRoom(now time.Time, from Source) bool {
	if now.Sub(b.swept) >= sweepEvery/10 {
		b.sweep(now)
		if len(b.of) < b.most {
			return true
		}
	}
	own := b.sources[from]
	n := 0
	if own != nil {
		n = own.slots.Len()
	}
	out := b.order[0]
	if out.slots.Len() <= n+1 {
		out = own
	}
	if out == nil {
		return false
	}
	b.remove(out.slots.Front().Value.(*slot))
	return true
}

// sweep removes what counts no longer. It is called with mu held.
func (b *book) sweep(now time.Time) {
	b.swept = now
	for _, s := range b.of {
		if !counts(s.Entry, now) {
			b.remove(s)
		}
	}
}

// tidy is sweep for who does not hold mu, and removes those that are not to be listed.
func (b *book) tidy(now time.Time, listed func(stream.ChannelID) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep(now)
	for id, s := range b.of {
		if !listed(id) {
			b.remove(s)
		}
	}
}

// shelf is the list as it was at a moment. It is for reading only.
type shelf struct {
	at      time.Time
	changed uint64
	until   time.Time // the first of the entries counts no longer then

	byID      []*Entry // all, those that are off the list as well
	byCrowd   []*Entry // live ones first, then by listeners, then the longest on the list
	listeners int
}

// shelfPerEntry is for how long a shelf is shown for each entry on it beyond shelfFree: to make one of 100,000 takes 0.1 s.
const (
	shelfPerEntry = 20 * time.Microsecond
	shelfFree     = 1000
)

// shelf returns the list as it is, or as it was some moments ago if it is long.
func (b *book) shelf(now time.Time) *shelf {
	b.shelfMu.Lock()
	defer b.shelfMu.Unlock()
	b.mu.Lock()
	s := b.last
	if s != nil && (s.changed == b.changed && now.Before(s.until) || now.Sub(s.at) < time.Duration(len(s.byID)-shelfFree)*shelfPerEntry) {
		b.mu.Unlock()
		return s
	}
	b.sweep(now)
	s = &shelf{at: now, changed: b.changed, until: now.Add(TTL), byID: make([]*Entry, 0, len(b.of))}
	for _, e := range b.of {
		s.byID = append(s.byID, e.Entry)
	}
	b.mu.Unlock()
	for _, e := range s.byID {
		if e.Until().Before(s.until) {
			s.until = e.Until()
		}
		if !e.Gone() {
			s.byCrowd = append(s.byCrowd, e)
			s.listeners += max(0, e.Listeners)
		}
	}
	slices.SortFunc(s.byID, func(a, b *Entry) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	slices.SortFunc(s.byCrowd, inOrder)
	b.last = s
	return s
}

// inOrder is the order for people: live ones first, then those to whom more listen, on their own word.
func inOrder(a, b *Entry) int {
	live := 0
	if a.Live != b.Live {
		if live = 1; a.Live {
			live = -1
		}
	}
	return cmp.Or(live, cmp.Compare(b.Listeners, a.Listeners), bytes.Compare(a.ID[:], b.ID[:]))
}

const (
	// maxQuery bounds what is searched for, in bytes, and maxWords its words.
	maxQuery = 200
	maxWords = 8
)

// search returns the listed entries with all words in their texts or ID, in their order; all of them if there
// are no words.
func (s *shelf) search(query string) []*Entry {
	words := strings.Fields(strings.ToLower(query[:min(len(query), maxQuery)]))
	if len(words) == 0 {
		return s.byCrowd
	}
	words = words[:min(len(words), maxWords)]
	var all []*Entry
	for _, e := range s.byCrowd {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(e.folded, w) }) {
			all = append(all, e)
		}
	}
	return all
}

// after returns the entries behind an ID, in the order of IDs.
func (s *shelf) after(id stream.ChannelID) []*Entry {
	i, found := slices.BinarySearchFunc(s.byID, id, func(e *Entry, id stream.ChannelID) int { return bytes.Compare(e.ID[:], id[:]) })
	if found {
		i++
	}
	return s.byID[i:]
}
