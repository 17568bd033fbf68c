package treetest

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
)

// Visit is one session of a trace.
type Visit struct {
	Join, Leave time.Duration // since the beginning
	Slots       int
}

// ReadScript reads a trace: a line per session with the times of joining and leaving
// in seconds and the number of slots. Empty lines and those that begin with # are
// left out.
func ReadScript(r io.Reader) ([]Visit, error) {
	var vs []Visit
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		var join, leave float64
		var slots int
		if _, err := fmt.Sscanf(line, "%g %g %d", &join, &leave, &slots); err != nil {
			return nil, fmt.Errorf("line %d: %q is not \"join leave slots\": %w", n, line, err)
		}
		if !(join >= 0 && leave >= join) || slots < 0 {
			return nil, fmt.Errorf("line %d: %q leaves before it joins, or gives less than nothing", n, line)
		}
		vs = append(vs, Visit{seconds(join), seconds(leave), slots})
	}
	return vs, sc.Err()
}
