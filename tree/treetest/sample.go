package treetest

// sample is what one look at the whole tree has found of a host.
type sample struct {
	stamp int
	depth int // -1 for one without a path of running hosts to the root
}

// Depths returns how deep the running hosts are now, by committed parents, and how many of
// them have no path of running hosts to the root.
func (s *Sim) Depths() (l Levels, lost int) {
	s.looks++
	for _, h := range s.hosts {
		if !h.alive || h.frozen || h.Fake != nil {
			continue
		}
		if d := s.depth(h); d < 0 {
			lost++
		} else {
			l.add(d, 1)
		}
	}
	return l, lost
}

func (s *Sim) depth(h *Host) int {
	if h.sample.stamp == s.looks {
		return h.sample.depth
	}
	h.sample = sample{s.looks, -1} // also what a cycle would find
	switch p := h.Parent(); {
	case !h.alive || h.frozen:
	case h.Root:
		h.sample.depth = 0
	case p != nil && h.up.ends[1].run == h.up.runs[1]:
		if d := s.depth(p); d >= 0 {
			h.sample.depth = d + 1
		}
	}
	return h.sample.depth
}

// whole reports whether all of hs that run, but those left out, have a path of running hosts
// to the root.
func (s *Sim) whole(hs []*Host, but map[*Host]bool) bool {
	s.looks++
	for _, h := range hs {
		if h.alive && !h.frozen && !but[h] && s.depth(h) < 0 {
			return false
		}
	}
	return true
}
