package words

import (
	"fmt"
	"strings"
)

// Moved tells people a link that replaces another one: why, and the page's address unless that is
// as before.
func Moved(was, now, page string, m Mapped) []string {
	share := Share(now)
	if p, open := m.Open(); open && Brings(was, now, p.External.String()) {
		return append([]string{fmt.Sprintf("The router at %s has opened the port (%s), so this link is good for people elsewhere, too:", p.Gateway, Protocol(p.Protocol))}, share...)
	}
	return append([]string{"This machine has other addresses now:", "Page    " + page}, share...)
}

// Brings reports whether a link has a router's address that the one before has not.
func Brings(was, now, router string) bool {
	return router != "" && strings.Contains(now, router) && !strings.Contains(was, router)
}
