package multicast

import (
	"testing"
	"time"
)

func TestFloodIsReadAtABoundedRate(t *testing.T) {
	const seconds = 5
	began := time.Unix(1e9, 0)
	var p pace
	read := 0
	for now := began; now.Before(began.Add(seconds * time.Second)); now = now.Add(time.Microsecond) {
		if d := p.wait(now); d > 0 {
			if d > readTime {
				t.Fatalf("it waits for %v", d)
			}
			now = now.Add(d)
		}
		read++
	}
	if most := readMost * int(seconds*time.Second/readTime); read > most+2*readMost || read < most/2 {
		t.Errorf("%d packets are read in %d s, want %d", read, seconds, most)
	}
	p = pace{}
	for i := range 1000 { // as many as may come
		if d := p.wait(began.Add(time.Duration(i) * readTime / readMost)); d > 0 {
			t.Fatalf("packet %d waits for %v", i, d)
		}
	}
}
