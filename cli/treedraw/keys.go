package treedraw

import "relay/cli/term"

// Press changes the screen as the key says. It reports false for a key that ends relay top.
func (s *Top) Press(k term.Key) bool {
	page := max(1, s.Height-5)
	switch k {
	case 'q', 'Q':
		return false
	case 'h', 'd', 'l', 'u':
		s.Order, s.Offset = Order(k), 0
	case 'j', term.KeyDown:
		s.Offset++
	case 'k', term.KeyUp:
		s.Offset--
	case ' ', term.KeyPageDown:
		s.Offset += page
	case term.KeyPageUp:
		s.Offset -= page
	case 'g', term.KeyHome:
		s.Offset = 0
	case 'G', term.KeyEnd:
		s.Offset = s.most()
	case term.KeyTab:
		if n := len(s.Channels); n > 0 {
			s.Chosen, s.Offset = (s.Chosen+1)%n, 0
		}
	}
	s.Offset = max(0, min(s.Offset, s.most()))
	return true
}

// most returns the greatest meaningful offset.
func (s *Top) most() int {
	if len(s.Channels) == 0 {
		return 0
	}
	return max(0, len(s.Channels[s.Chosen].Nodes)-1)
}
