package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/term"
)

func doctorCommand(t *term.Terminal, stdio Stdio) *cli.Command {
	return &cli.Command{
		Name:      "doctor",
		Usage:     "look for what could keep a stream from getting through",
		UsageText: "relay doctor [FLAGS]",
		Description: `Looks at this machine's network, ports, players, keys and upload, and at the relay that
runs here, and says what to do next. It sends nothing to the Internet. It exits with 1
if something needs doing.`,
		Flags: append([]cli.Flag{
			toggle("json", "write what was found as JSON"),
			text("upload", "`RATE` of this machine's upload, to hear how many viewers it carries"),
			configFlag(),
			noDiscoveryFlag(),
		}, append(askFlags(), discoveryFlags()...)...),
		Action: func(c *cli.Context) error { return runDoctor(c, t, stdio) },
	}
}

// level says what a finding asks for.
type level string

// Levels of findings.
const (
	fine level = "ok"
	note level = "note" // good to know
	todo level = "todo" // something needs doing
)

// finding is one thing that relay doctor says: whole sentences.
type finding struct {
	Topic string `json:"topic"`
	Level level  `json:"level"`
	Text  string `json:"text"`
	Next  string `json:"next"` // what to do; "" if there is nothing
}

func runDoctor(c *cli.Context, t *term.Terminal, stdio Stdio) error {
	if c.NArg() > 0 {
		return usage("relay help doctor", "relay doctor takes no arguments")
	}
	a, err := newAsker(c)
	if err != nil {
		return err
	}
	defer a.close()
	upload := 0
	if c.IsSet("upload") {
		if upload, err = parseRate(c.String("upload")); err != nil {
			return usage("", "--upload %w", err)
		}
	}
	lan, err := readDiscovery(c)
	if err != nil {
		return err
	}
	m := examine(c.Context, &a, c.String("config"), c.Int("offset"), lan)
	m.upload = upload
	if c.Context.Err() != nil {
		return nil
	}
	found := m.diagnose()
	bad := 0
	for _, f := range found {
		if f.Level == todo {
			bad++
		}
	}
	if c.Bool("json") {
		enc := json.NewEncoder(stdio.Out)
		enc.SetIndent("", "  ")
		err = enc.Encode(struct {
			OK       bool      `json:"ok"`
			Findings []finding `json:"findings"`
		}{bad == 0, found})
	} else {
		st, _ := t.OutStyle()
		_, err = io.WriteString(stdio.Out, strings.Join(doctorText(found, st), "\n")+"\n")
	}
	if err != nil {
		return fail("", "write what was found: %w", err)
	}
	switch {
	case bad == 1:
		return fail("", "one thing needs doing; it is marked above")
	case bad > 1:
		return fail("", "%d things need doing; they are marked above", bad)
	}
	return nil
}

// doctorText puts what was found on lines: what needs doing begins with a mark, and so
// does what to do.
func doctorText(found []finding, st term.Style) []string {
	marks := map[level]term.Cell{fine: {Text: "✓ ", Colour: term.Green}, note: {Text: "· ", Colour: term.Faint}, todo: {Text: "✗ ", Colour: term.Red}}
	next := "→ "
	if st.ASCII {
		marks = map[level]term.Cell{fine: {Text: "+ ", Colour: term.Green}, note: {Text: "- ", Colour: term.Faint}, todo: {Text: "! ", Colour: term.Red}}
		next = "> "
	}
	var lines []string
	topic := ""
	bad := false
	for _, f := range found {
		if f.Topic != topic {
			if topic != "" {
				lines = append(lines, "")
			}
			topic = f.Topic
			lines = append(lines, st.Line([]term.Cell{{Text: topic, Colour: term.Bold}}))
		}
		bad = bad || f.Level == todo
		colour := ""
		if f.Level == todo {
			colour = term.Red
		}
		for i, l := range term.WrapWords(term.Clean(f.Text), st.Width-4) {
			mark := term.Cell{Text: "  "}
			if i == 0 {
				mark = marks[f.Level]
			}
			lines = append(lines, st.Line([]term.Cell{mark, {Text: l, Colour: colour}}))
		}
		if f.Next == "" {
			continue
		}
		for i, l := range term.WrapWords(term.Clean(f.Next), st.Width-6) {
			mark := "    "
			if i == 0 {
				mark = "  " + next
			}
			lines = append(lines, st.Line([]term.Cell{{Text: mark}, {Text: l}}))
		}
	}
	if !bad {
		lines = append(lines, "", "Nothing needs doing.")
	}
	return lines
}

// found makes findings: fine, note and todo with a text, and what to do next.
type findings struct {
	topic string
	all   []finding
}

func (f *findings) fine(format string, args ...any) { f.add(fine, "", format, args...) }

func (f *findings) note(next, format string, args ...any) { f.add(note, next, format, args...) }

func (f *findings) todo(next, format string, args ...any) { f.add(todo, next, format, args...) }

func (f *findings) add(l level, next, format string, args ...any) {
	f.all = append(f.all, finding{f.topic, l, fmt.Sprintf(format, args...), next})
}
