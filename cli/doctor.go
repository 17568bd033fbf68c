package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

func doctorCommand(t *terminal, stdio Stdio) *cli.Command {
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

func runDoctor(c *cli.Context, t *terminal, stdio Stdio) error {
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
		_, err = io.WriteString(stdio.Out, strings.Join(doctorText(found, doctorStyle(t, stdio)), "\n")+"\n")
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

func doctorStyle(t *terminal, stdio Stdio) drawing {
	d := drawing{ascii: !speaksUTF8(os.Getenv, runtime.GOOS)}
	if t.outTTY {
		d.colour = os.Getenv("NO_COLOR") == ""
		d.width = 80
		if f, ok := stdio.Out.(*os.File); ok {
			if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
				d.width = w
			}
		}
	}
	return d
}

// doctorText puts what was found on lines: what needs doing begins with a mark, and so
// does what to do.
func doctorText(found []finding, d drawing) []string {
	marks := map[level]cell{fine: {"✓ ", green, false}, note: {"· ", faint, false}, todo: {"✗ ", red, false}}
	next := "→ "
	if d.ascii {
		marks = map[level]cell{fine: {"+ ", green, false}, note: {"- ", faint, false}, todo: {"! ", red, false}}
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
			lines = append(lines, d.line([]cell{{topic, bold, false}}))
		}
		bad = bad || f.Level == todo
		colour := ""
		if f.Level == todo {
			colour = red
		}
		for i, l := range wrapWords(clean(f.Text), d.width-4) {
			mark := cell{"  ", "", false}
			if i == 0 {
				mark = marks[f.Level]
			}
			lines = append(lines, d.line([]cell{mark, {l, colour, false}}))
		}
		if f.Next == "" {
			continue
		}
		for i, l := range wrapWords(clean(f.Next), d.width-6) {
			mark := "    "
			if i == 0 {
				mark = "  " + next
			}
			lines = append(lines, d.line([]cell{{mark, "", false}, {l, "", false}}))
		}
	}
	if !bad {
		lines = append(lines, "", "Nothing needs doing.")
	}
	return lines
}

// wrapWords breaks a text into lines of that width, which a longer word exceeds; one
// line if the width is none that text fits.
func wrapWords(s string, w int) []string {
	const narrowest = 16
	if w < narrowest {
		if w < 0 {
			return []string{s}
		}
		w = narrowest
	}
	var lines []string
	for _, word := range strings.Fields(s) {
		if n := len(lines); n > 0 && width(cell{text: lines[n-1]})+1+width(cell{text: word}) <= w {
			lines[n-1] += " " + word
		} else {
			lines = append(lines, word)
		}
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
