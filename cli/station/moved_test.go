package station

import "testing"

func TestAnotherLinkIsToldOnceAndWhenItStays(t *testing.T) {
	var s SharedLink
	for range 2 {
		if s.look("a", "") != "" {
			t.Error("it is told before the greeting")
		}
	}
	s.Tell("a")
	s.Tell("z") // the greeting comes once
	for i, c := range []struct{ link, want string }{
		{"a", ""},
		{"a", ""},
		{"b", ""}, // for a moment
		{"c", ""},
		{"c", "c"},
		{"c", ""},
		{"d", ""}, // and back again
		{"c", ""},
		{"c", ""},
		{"c,router", "c,router"}, // there is no other moment to come
		{"c", ""},
		{"c,router", ""},
	} {
		if got := s.look(c.link, "router"); got != c.want {
			t.Errorf("%d: %q, want %q", i, got, c.want)
		}
	}
}
