package cli

import "relay/cli/term"

// press changes the screen as the key says. It reports false for a key that ends.
func (s *topScreen) press(k term.Key) bool {
	page := max(1, s.height-5)
	switch k {
	case 'q', 'Q':
		return false
	case 'h', 'd', 'l', 'u':
		s.order, s.offset = topOrder(k), 0
	case 'j', term.KeyDown:
		s.offset++
	case 'k', term.KeyUp:
		s.offset--
	case ' ', term.KeyPageDown:
		s.offset += page
	case term.KeyPageUp:
		s.offset -= page
	case 'g', term.KeyHome:
		s.offset = 0
	case 'G', term.KeyEnd:
		s.offset = s.most()
	case term.KeyTab:
		if n := len(s.channels); n > 0 {
			s.chosen, s.offset = (s.chosen+1)%n, 0
		}
	}
	s.offset = max(0, min(s.offset, s.most()))
	return true
}

// most is the greatest offset that means anything.
func (s *topScreen) most() int {
	if len(s.channels) == 0 {
		return 0
	}
	return max(0, len(s.channels[s.chosen].Nodes)-1)
}
