package treedraw

import (
	"testing"

	"relay/cli/term"
)

func TestKeysMoveThroughTheTable(t *testing.T) {
	two := append(sampleTop(), sampleTop()...)
	s := Top{Height: 24, Channels: two, Order: ByHop}
	for _, step := range []struct {
		key    term.Key
		order  Order
		offset int
		chosen int
	}{
		{'j', ByHop, 1, 0},
		{term.KeyDown, ByHop, 2, 0},
		{'k', ByHop, 1, 0},
		{term.KeyPageDown, ByHop, 4, 0},
		{'j', ByHop, 4, 0}, // the last of five
		{'d', ByDelay, 0, 0},
		{'k', ByDelay, 0, 0},
		{'G', ByDelay, 4, 0},
		{term.KeyHome, ByDelay, 0, 0},
		{term.KeyTab, ByDelay, 0, 1},
		{term.KeyTab, ByDelay, 0, 0},
		{'x', ByDelay, 0, 0},
	} {
		if !s.Press(step.key) || s.Order != step.order || s.Offset != step.offset || s.Chosen != step.chosen {
			t.Fatalf("%v: order %c, offset %d, channel %d; want %+v", step.key, s.Order, s.Offset, s.Chosen, step)
		}
	}
	if s.Press('q') {
		t.Error("q does not end it")
	}
	empty := Top{}
	for _, k := range []term.Key{'j', 'G', term.KeyTab, term.KeyPageDown} {
		empty.Press(k)
	}
	if empty.Offset != 0 || empty.Chosen != 0 {
		t.Errorf("without a channel: %+v", empty)
	}
}
