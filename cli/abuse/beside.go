package abuse

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"relay/ingest/flv"
)

// viewer is the legitimate stream beside the attack: it plays over HTTP, and notes every tag.
type viewer struct {
	end func() // closes the connection, and waits

	mu    sync.Mutex
	tags  []string // as the source's tag log has them
	last  time.Time
	pause time.Duration // the longest in which nothing came
	err   error
}

// mediaURL is where the channel plays.
func (t Target) mediaURL() string {
	return "http://" + t.HTTP.String() + "/" + t.Channel.String() + ".flv"
}

// play asks for the stream as it was sent.
func (t Target) play(ctx context.Context) (*flv.Reader, func(), error) {
	ctx, cancel := context.WithCancel(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.mediaURL()+"?start=gop", nil)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	resp, err := direct.Do(req)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	leave := func() { cancel(); resp.Body.Close() }
	if resp.StatusCode != http.StatusOK {
		leave()
		return nil, nil, fmt.Errorf("%s answers %s", t.mediaURL(), resp.Status)
	}
	return flv.NewReader(resp.Body), leave, nil
}

// watch plays until end is called.
func (t Target) watch(ctx context.Context) (*viewer, error) {
	r, leave, err := t.play(ctx)
	if err != nil {
		return nil, err
	}
	v := &viewer{}
	var wg sync.WaitGroup
	wg.Go(func() { v.read(r) }) // ends with the connection
	v.end = func() { leave(); wg.Wait() }
	return v, nil
}

func (v *viewer) read(r *flv.Reader) {
	for {
		tag, err := r.Next()
		now := time.Now()
		v.mu.Lock()
		if err != nil {
			v.err = err
			v.mu.Unlock()
			return
		}
		if !v.last.IsZero() {
			v.pause = max(v.pause, now.Sub(v.last))
		}
		v.last = now
		if len(v.tags) > 0 || tag.Type() != flv.Script && !flv.Classify(tag).Config { // else it is the header
			v.tags = append(v.tags, logged(tag))
		}
		v.mu.Unlock()
	}
}

// logged is a tag as relay source --tag-log writes it.
func logged(t flv.Tag) string {
	return fmt.Sprintf("%d %d %x", t.Type(), t.Timestamp(), sha256.Sum256(t.Body()))
}

func (v *viewer) seen() (tags []string, pause time.Duration, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.tags[:len(v.tags):len(v.tags)], max(v.pause, time.Since(v.last)), v.err
}

// missing compares what came, without the header, with what the source took in: from the first on, all
// of it has to be there in its order, once.
func missing(tags, log []string) (lost int, err error) {
	at := make(map[string][]int, len(log)) // where each stands, in rising order
	for i, l := range log {
		at[l] = append(at[l], i)
	}
	next := -1
	for _, g := range tags {
		of := at[g]
		if len(of) == 0 {
			return lost, fmt.Errorf("a tag came that the source did not take in: %.40s", g)
		}
		if next < 0 {
			next = of[len(of)-1] // there is one of each, as a rule
		}
		i, _ := slices.BinarySearch(of, next)
		if i == len(of) {
			return lost, fmt.Errorf("a tag came twice, or late: %.40s", g)
		}
		lost += of[i] - next
		next = of[i] + 1
	}
	if next < 0 {
		return 0, errors.New("no tag came")
	}
	return lost, nil
}

// readLog reads a tag log's lines.
func readLog(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		all = append(all, lines.Text())
	}
	return all, lines.Err()
}
