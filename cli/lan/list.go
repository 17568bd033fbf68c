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

// columns are those of the table; heads and states are words of it, in which the person's language has as many.
var columns = []term.Column{{Least: 8}, {}, {Least: 7}, {Least: 9, Right: true}, {}}

const (
	heads  = "CHANNEL|TITLE|STATE|BIT RATE|AT"
	states = "live|waiting|lost"
)

// Table returns a line of heads and one for each channel, with strangers' text made safe. in puts words into the
// person's language.
func Table(ss []*Channel, in func(string) string) []string {
	said := make(map[string]string)
	for i, word := range strings.Split(in(states), "|") {
		said[strings.Split(states, "|")[i]] = word
	}
	rows := [][]string{strings.Split(in(heads), "|")}
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
		rows = append(rows, []string{s.ID.Short(), s.Title, said[s.State.String()], rate, at})
	}
	return term.Table(columns, rows)
}
