package lan

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"relay/cli/term"
	"relay/playback/api"
	"relay/relay"
)

// WriteJSON writes one JSON object per line.
func WriteJSON(w io.Writer, cat *Catalog) error {
	enc := json.NewEncoder(w)
	for _, s := range cat.Sorted() {
		l := api.Listed{
			ID: s.ID.String(), Name: s.ID.Short(), Title: s.Title, State: s.State.String(), BitRate: s.BitRate, BitRateBPS: s.BitRate, Source: s.Source,
			FoundMs: float64(s.after.Microseconds()) / 1000, NodeName: term.Clean(s.Node), Followed: s.Followed,
		}
		for _, a := range s.Addrs {
			l.Addrs = append(l.Addrs, a.String())
		}
		if hosts, _ := Seeds(s.Addrs); len(hosts) > 0 {
			l.Link = relay.Invite{Channel: s.ID}.With(hosts...).String()
		}
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// titleWidth is the width of the column for titles, in characters.
func titleWidth(ss []*Channel) int {
	w := len("TITLE")
	for _, s := range ss {
		w = max(w, term.Width(term.Cell{Text: s.Title}))
	}
	return w
}

// Head is the line above Rows.
func Head(ss []*Channel) string {
	return row("CHANNEL", "TITLE", titleWidth(ss), "STATE", "BIT RATE", "AT")
}

// Rows returns a line for each channel, with strangers' text made safe.
func Rows(ss []*Channel) []string {
	w := titleWidth(ss)
	var lines []string
	for _, s := range ss {
		rate := ""
		if s.BitRate > 0 {
			rate = term.RateText(s.BitRate)
		}
		at := s.Addrs[0].String()
		if s.Node != "" {
			at += ` "` + strings.ReplaceAll(term.Clean(s.Node), `"`, "'") + `"`
		}
		if n := len(s.Addrs) - 1; n > 0 {
			at += fmt.Sprintf(" +%d", n)
		}
		lines = append(lines, row(s.ID.Short(), s.Title, w, s.State.String(), rate, at))
	}
	return lines
}

func row(id, title string, width int, state, rate, at string) string {
	pad := strings.Repeat(" ", max(0, width-term.Width(term.Cell{Text: title})))
	return fmt.Sprintf("%-8s  %s%s  %-7s  %9s  %s", id, title, pad, state, rate, at)
}
