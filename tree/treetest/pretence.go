package treetest

import (
	"time"

	"relay/tree"
)

// pretence plays the data paths of a conversation. No stream is sent in one, but its nodes
// are told how late they are.
type pretence struct {
	lags     map[*Host]time.Duration // those that the script has set
	withheld map[*Host]int64         // since when a host forwards nothing
	had      map[*Host]bool          // whether a host has had a chunk
	told     map[*Host]bool          // whether a host hears of its lag by itself
}

// gaugeEvery is how often a node hears how late it is.
const gaugeEvery = 100 * time.Millisecond

func newPretence() pretence {
	return pretence{
		lags: make(map[*Host]time.Duration), withheld: make(map[*Host]int64),
		had: make(map[*Host]bool), told: make(map[*Host]bool),
	}
}

// late makes h so late from now on.
func (p *pretence) late(s *Sim, h *Host, d time.Duration) {
	p.lags[h] = d
	if !p.told[h] {
		p.told[h] = true
		p.tell(s, h)
	}
}

// tell tells h how late it is, over and over.
func (p *pretence) tell(s *Sim, h *Host) {
	h.tell(p.progress(s, h))
	s.After(gaugeEvery, func() { p.tell(s, h) })
}

// withhold lets h forward no chunks from now on. From the first time on all hosts hear of
// their lag; those that are there by then have had a chunk.
func (p *pretence) withhold(s *Sim, h *Host) {
	first := len(p.withheld) == 0
	p.withheld[h] = s.t
	if !first {
		return
	}
	for _, o := range s.hosts {
		p.had[o] = true
	}
	p.tellAll(s)
}

func (p *pretence) tellAll(s *Sim) {
	for _, h := range s.hosts {
		if !h.Root && h.Fake == nil && !p.told[h] {
			h.tell(p.progress(s, h))
		}
	}
	s.After(gaugeEvery, func() { p.tellAll(s) })
}

// progress is what h's data path sees. Its lag is the time since a node above it has ceased
// to forward chunks.
func (p *pretence) progress(s *Sim, h *Host) tree.Progress {
	lag := p.lags[h]
	for up, n := h.Parent(), 0; up != nil && !up.Root && n < len(s.hosts); up, n = up.Parent(), n+1 { // n ends a loop
		if at, ok := p.withheld[up]; ok {
			lag = max(lag, time.Duration(s.t-at))
		}
	}
	if lag == p.lags[h] && h.Parent() != nil {
		p.had[h] = true
	}
	return tree.Progress{Lag: lag, Barren: !p.had[h]}
}
