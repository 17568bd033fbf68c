//go:build e2e && linux

package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// audience is all viewers of one server: crowds, with a thread each.
type audience struct {
	sent   *history
	crowds []*crowd
	newest atomic.Int64 // viewers that have come, by which they are spread over the crowds

	alone   sync.WaitGroup // those who read for themselves; they end with the context they were given
	polls   atomic.Int64   // requests for a playlist
	fetches atomic.Int64   // requests for a segment

	mu    sync.Mutex
	joins []time.Duration // what each of those who came alone waited for the first key frame
}

// openAudience starts crowds without viewers. The caller closes it.
func openAudience(h *history, crowds int) (*audience, error) {
	a := &audience{sent: h}
	for range crowds {
		c, err := openCrowd(h)
		if err != nil {
			a.close()
			return nil, err
		}
		a.crowds = append(a.crowds, c)
	}
	return a, nil
}

// close ends everything, once the context has ended of those who read for themselves.
func (a *audience) close() {
	a.alone.Wait()
	for _, c := range a.crowds {
		c.close()
	}
}

// any is the crowd for one more viewer.
func (a *audience) any() *crowd { return a.crowds[int(a.newest.Add(1))%len(a.crowds)] }

func (a *audience) begun() (n int) {
	for _, c := range a.crowds {
		n += int(c.begun.Load())
	}
	return n
}

func (a *audience) bytes() (n uint64) {
	for _, c := range a.crowds {
		n += c.bytes.Load()
	}
	return n
}

// failure is why a viewer has ended, nil if none has.
func (a *audience) failure() error {
	for _, c := range a.crowds {
		if err := c.failure(); err != nil {
			return err
		}
	}
	return nil
}

// keep has the delays of the tags from the next one on kept, and returns its number. The second
// call ends that with the newest tag, and returns the number of the one behind it.
func (a *audience) keep() int {
	number := a.sent.count()
	for _, c := range a.crowds {
		c.keep(number)
	}
	return number
}

// has reports whether every viewer has got the tags before number to, or has ended.
func (a *audience) has(to int) bool {
	for _, c := range a.crowds {
		if !c.has(to) {
			return false
		}
	}
	return true
}

// verdict returns what was wrong with the tags from number from up to, and without, number to,
// and with all that came before.
func (a *audience) verdict(from, to int) (f flaws) {
	for _, c := range a.crowds {
		f.add(c.verdict(from, to))
	}
	return f
}

// times returns what the crowds have measured.
func (a *audience) times() (delays, late, firsts []time.Duration) {
	for _, c := range a.crowds {
		c.call(func() {
			delays, late, firsts = append(delays, c.delays...), append(late, c.late...), append(firsts, c.firsts...)
		})
	}
	return delays, late, firsts
}
