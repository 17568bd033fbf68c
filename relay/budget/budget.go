// Package budget bounds how often something may be done for each of many strangers: so many a second,
// and a burst at once. What turns out to have been well spent can be given back.
//
// It is not package quota, which bounds what an address asks for: here keys are anything, IDs as well, which a
// stranger makes up. When as many are remembered as may be, some are forgotten, so that nobody shuts others out.
package budget

import "time"

// Budgets are budgets of one kind, a key each. One that was never spent from is full. A stranger may
// make up any number of keys: Most bounds those that are remembered, and when there are as many, full ones go
// first and then any. It is not safe for concurrent use.
type Budgets[K comparable] struct {
	Rate  float64 // a second
	Burst float64
	Most  int

	of map[K]*budget
}

type budget struct {
	left float64
	at   time.Time
}

// Len is how many keys are remembered.
func (b *Budgets[K]) Len() int { return len(b.of) }

// Left returns how much there is now.
func (b *Budgets[K]) Left(now time.Time, k K) float64 { return b.get(now, k).left }

// Take spends n, whether it is there or not: what must not go below zero is asked with Left before.
func (b *Budgets[K]) Take(now time.Time, k K, n float64) { b.get(now, k).left -= n }

// Give gives n back.
func (b *Budgets[K]) Give(now time.Time, k K, n float64) {
	x := b.get(now, k)
	x.left = min(b.Burst, x.left+n)
}

// Spend takes 1 and reports true, if that is there.
func (b *Budgets[K]) Spend(now time.Time, k K) bool {
	x := b.get(now, k)
	if x.left < 1 {
		return false
	}
	x.left--
	return true
}

// Wait is how long it takes until there is 1; 0 if there is.
func (b *Budgets[K]) Wait(now time.Time, k K) time.Duration {
	return time.Duration(max(0, (1-b.get(now, k).left)/b.Rate*float64(time.Second)))
}

func (b *Budgets[K]) get(now time.Time, k K) *budget {
	if b.of == nil {
		b.of = make(map[K]*budget)
	}
	x := b.of[k]
	if x == nil {
		if len(b.of) >= b.Most {
			b.forgetFull(now)
		}
		for old := range b.of {
			if len(b.of) < b.Most {
				break
			}
			delete(b.of, old)
		}
		x = &budget{left: b.Burst, at: now}
		b.of[k] = x
	}
	x.left = min(b.Burst, x.left+max(0, now.Sub(x.at).Seconds())*b.Rate)
	x.at = now
	return x
}

func (b *Budgets[K]) forgetFull(now time.Time) {
	for k, x := range b.of {
		if x.left+now.Sub(x.at).Seconds()*b.Rate >= b.Burst {
			delete(b.of, k)
		}
	}
}
