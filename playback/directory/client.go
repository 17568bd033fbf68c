package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"relay/relay/pcp/index"
	"relay/relay/stream"
)

const (
	// askTime bounds a question to a directory, and readTime the reading of a whole list.
	askTime  = 10 * time.Second
	readTime = time.Minute
	// maxPageBytes bounds a page of a list, in bytes: bodies of MaxBody each, with quotation marks escaped.
	maxPageBytes = 12 << 20
	// maxRedirects is how often a directory may send on to another address on the same host.
	maxRedirects = 2
	// maxHeader bounds the header of an answer, in bytes.
	maxHeader = 64 << 10
)

var (
	// ErrElsewhere says that a directory sends on to another host.
	ErrElsewhere = errors.New("it leads to another host")
	// ErrNoDirectory says that what answers is no directory.
	ErrNoDirectory = errors.New("what answers is no directory")
	// ErrUnending says that a list does not come to its end.
	ErrUnending = errors.New("the list does not end")
)

// StatusError is an answer with another status than 200.
type StatusError struct{ Code int }

func (e *StatusError) Error() string { return fmt.Sprintf("it answers %d", e.Code) }

// Client asks directories. Its zero value is ready.
type Client struct {
	// Transport replaces that of net/http; it may be nil.
	Transport http.RoundTripper
	// Version is the program's, for the directory to see.
	Version string
}

func (c *Client) http() *http.Client {
	t := c.Transport
	if t == nil {
		t = &http.Transport{Proxy: http.ProxyFromEnvironment, MaxResponseHeaderBytes: maxHeader, IdleConnTimeout: 5 * time.Second}
	}
	return &http.Client{Transport: t, CheckRedirect: func(to *http.Request, before []*http.Request) error {
		was := before[0].URL
		if to.URL.Hostname() != was.Hostname() || was.Scheme == "https" && to.URL.Scheme != was.Scheme || len(before) > maxRedirects {
			return ErrElsewhere
		}
		return nil
	}}
}

// get asks for what is below a directory's address, and has read read it.
func (c *Client) get(ctx context.Context, h *http.Client, base *url.URL, path string, query url.Values, read func(io.Reader) error) error {
	u := base.JoinPath(path)
	u.RawQuery, u.Fragment = query.Encode(), ""
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	c.sign(req)
	resp, err := h.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return &StatusError{resp.StatusCode}
	}
	return read(resp.Body)
}

// sign says which program asks.
func (c *Client) sign(req *http.Request) {
	req.Header.Set("User-Agent", "relay/"+strings.ReplaceAll(c.Version, " ", "-"))
	req.Header.Set("Accept-Encoding", "identity") // what is small when packed may be large
}

// page asks for one page of a list.
func (c *Client) page(ctx context.Context, h *http.Client, base *url.URL, query url.Values) (p Page, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	err = c.get(ctx, h, base, channelsPath, query, func(r io.Reader) error {
		if err := json.NewDecoder(io.LimitReader(r, maxPageBytes)).Decode(&p); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("%w: %w", ErrNoDirectory, err)
		}
		return nil
	})
	if err == nil && len(p.Channels) > pageMost {
		err = ErrNoDirectory
	}
	return p, err
}

// Found is a channel in a list, whose key has signed what is told of it.
type Found struct {
	Entry
	In string // the address of the list
}

// Link is the link to the channel at those of its places that keep, nil for all: first those at which a directory has
// reached it. "" if there is none.
func (f *Found) Link(keep func(netip.AddrPort) bool) string {
	var at []netip.AddrPort
	for _, a := range append(slices.Clone(f.Checked), f.Places...) {
		if !slices.Contains(at, a) && (keep == nil || keep(a)) {
			at = append(at, a)
		}
	}
	if len(at) == 0 {
		return ""
	}
	return link(f.ID, at)
}

// List is what was read of one or more directories. Its zero value is empty.
type List struct {
	Titles   []string
	Channels []*Found
	Total    int // how many the directories have in all
	Forged   int // channels that were told and that nobody has signed so
	Old      int // likewise, that are over, or made at another time than now by this clock
	PeerCast []Pulled

	at map[stream.ChannelID]int
}

// Pulled is a channel of PeerCast's in an index.txt. Nobody has signed it.
type Pulled struct {
	index.Channel
	In string
}

// add takes a channel in that was verified: of one ID the newest counts.
func (l *List) add(f *Found) {
	if l.at == nil {
		l.at = make(map[stream.ChannelID]int)
	}
	i, ok := l.at[f.ID]
	switch {
	case !ok:
		l.at[f.ID] = len(l.Channels)
		l.Channels = append(l.Channels, f)
	case f.Seq > l.Channels[i].Seq:
		l.Channels[i] = f
	}
}

// merge takes in another list.
func (l *List) merge(o *List) {
	l.Titles = append(l.Titles, o.Titles...)
	l.Total += o.Total
	l.Forged += o.Forged
	l.Old += o.Old
	l.PeerCast = append(l.PeerCast, o.PeerCast...)
	for _, f := range o.Channels {
		l.add(f)
	}
}

// Wish says what to read of lists.
type Wish struct {
	Words string // with all these words in its texts or ID; "" for all
	Most  int    // channels of each list; 0 for all, of which a list then is read to its end
}

// Failure is why a list could not be read.
type Failure struct {
	URL *url.URL
	Err error
}

// Read reads all these lists at once, and merges them. Each channel is verified before it counts. Of those lists that
// could not be read it says why.
func (c *Client) Read(ctx context.Context, lists []*url.URL, w Wish) (*List, []Failure) {
	h := c.http()
	defer h.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	read, errs := make([]List, len(lists)), make([]error, len(lists))
	var all sync.WaitGroup
	for i, u := range lists {
		all.Go(func() { errs[i] = c.readOne(ctx, h, u, w, &read[i]) })
	}
	all.Wait()
	merged := &List{}
	var failed []Failure
	for i := range lists {
		merged.merge(&read[i])
		if errs[i] != nil {
			failed = append(failed, Failure{lists[i], errs[i]})
		}
	}
	merged.sort()
	return merged, failed
}

// readOne reads one list. What answers no question for channels may have an index.txt.
func (c *Client) readOne(ctx context.Context, h *http.Client, base *url.URL, w Wish, l *List) error {
	if strings.HasSuffix(base.Path, ".txt") {
		return c.readIndex(ctx, h, base, "", w, l)
	}
	err := c.readChannels(ctx, h, base, w, l)
	no := new(StatusError)
	if errors.Is(err, ErrNoDirectory) || errors.As(err, &no) && no.Code == http.StatusNotFound {
		index := c.readIndex(ctx, h, base, indexPath, w, l)
		if index == nil {
			return nil
		}
		if errors.As(index, &no) && no.Code == http.StatusNotFound { // there is something, but neither of the two
			return ErrNoDirectory
		}
		return index
	}
	return err
}

// readIndex reads a PeerCast index page.
func (c *Client) readIndex(ctx context.Context, h *http.Client, base *url.URL, path string, w Wish, l *List) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	words := strings.Fields(strings.ToLower(w.Words))
	return c.get(ctx, h, base, path, nil, func(r io.Reader) error {
		all, err := index.Parse(r, index.Bounds{Channels: MaxEntries})
		if errors.Is(err, index.ErrNotIndex) {
			return ErrNoDirectory
		}
		for _, ch := range all {
			folded := strings.ToLower(ch.Name + "\n" + ch.Genre + "\n" + ch.Description + "\n" + ch.Comment + "\n" + ch.ID.String())
			if ch.Notice() || slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(folded, w) }) {
				continue
			}
			l.Total++
			if w.Most == 0 || len(l.PeerCast) < w.Most {
				l.PeerCast = append(l.PeerCast, Pulled{ch, base.String()})
			}
		}
		if errors.Is(err, index.ErrTooLong) {
			return nil // what was read is good
		}
		return err
	})
}

// readChannels reads a directory: a page of what was wished for, or all pages. Signatures are verified by all
// processors while the next page comes.
func (c *Client) readChannels(ctx context.Context, h *http.Client, base *url.URL, w Wish, l *List) error {
	query := url.Values{}
	if w.Words != "" || w.Most > 0 {
		query.Set("order", "crowd")
		query.Set("q", w.Words)
	}
	if w.Most > 0 {
		query.Set("most", strconv.Itoa(min(w.Most, pageMost)))
	}
	now := time.Now()
	pages := make(chan []Listed)
	var mu sync.Mutex // guards l
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for some := range pages {
				ok, forged, old := checkAll(some, now)
				mu.Lock()
				l.Forged += forged
				l.Old += old
				for _, e := range ok {
					l.add(&Found{*e, base.String()})
				}
				mu.Unlock()
			}
		})
	}
	err := c.eachPage(ctx, h, base, query, w.Most, func(p Page) {
		mu.Lock()
		if l.Titles == nil {
			l.Titles = []string{cleanTitle(p.Title)}
			l.Total = max(0, min(p.Total, maxCount))
		}
		mu.Unlock()
		pages <- p.Channels
	})
	close(pages)
	workers.Wait()
	return err
}

// eachPage asks for one page after the other, up to so many channels; 0 for all.
func (c *Client) eachPage(ctx context.Context, h *http.Client, base *url.URL, query url.Values, most int, each func(Page)) error {
	key := "after"
	if query.Get("order") == "crowd" {
		key = "page"
	}
	for got, asked := 0, 0; ; asked++ {
		p, err := c.page(ctx, h, base, query)
		if err != nil {
			return err
		}
		each(p)
		got += len(p.Channels)
		switch {
		case p.Next == "" || most > 0 && got >= most:
			return nil
		case got > 2*MaxEntries || asked > 2*MaxEntries/pageMost+100 || p.Next == query.Get(key):
			return ErrUnending
		}
		query.Set(key, p.Next)
	}
}

// checkAll returns those channels that count: read, of now, and signed by their keys.
func checkAll(some []Listed, now time.Time) (ok []*Entry, forged, old int) {
	for _, one := range some {
		e, err := openListed(one)
		switch {
		case err != nil:
			forged++
		case !counts(e, now):
			old++
		case !e.Verify(e.ID):
			forged++
		case e.Gone():
		default:
			ok = append(ok, e)
		}
	}
	return ok, forged, old
}

// counts reports whether an announcement is of now, and not over.
func counts(e *Entry, now time.Time) bool { return now.Before(e.Until()) && e.At().Sub(now) <= Skew }

// openListed reads a channel in a list. It does not verify it. Of the places at which a directory says that it has reached
// the channel those count that the channel names itself.
func openListed(one Listed) (*Entry, error) {
	e := &Entry{Signed: Signed{Body: one.Body}}
	if len(one.Sig) != len(e.Sig) {
		return nil, ErrBody
	}
	copy(e.Sig[:], one.Sig)
	var err error
	if e.Announcement, err = e.Open(); err != nil {
		return nil, err
	}
	for _, at := range one.Checked {
		if slices.Contains(e.Places, at) && !slices.Contains(e.Checked, at) {
			e.Checked = append(e.Checked, at)
		}
	}
	return e, nil
}

// sort puts the channels into the order for people, as a directory does.
func (l *List) sort() {
	slices.SortFunc(l.Channels, func(a, b *Found) int { return inOrder(&a.Entry, &b.Entry) })
	l.at = nil // indexes of the order before
}
