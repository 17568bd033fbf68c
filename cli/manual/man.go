// Package manual is made from the table of commands: the manual page, and what the shells
// complete. The page is in English, as a whole, whatever the language: it is printed into a file, for all who
// use the machine. What it says of commands and flags, relay help COMMAND says in the person's language.
package manual

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/term"
)

// Man is the command that prints the page.
func Man(t *term.Terminal, app *cli.App, version string) *cli.Command {
	return &cli.Command{
		Name:  "man",
		Usage: "print the manual page",
		Description: `Prints it in roff, as man reads it:

  relay man | man -l -
  relay man > ~/.local/share/man/man1/relay.1`,
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return fault.Usage("relay help COMMAND explains one command", "relay man takes no arguments")
			}
			_, err := io.WriteString(t.Out, Page(app, version))
			return err
		},
	}
}

// manual builds a page in the man macros of roff (man(7)).
type manual struct{ b strings.Builder }

// Roff escapes a text so that roff takes no character of it for markup.
func Roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`).Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

func (m *manual) macro(name string, args ...string) {
	m.b.WriteString("." + name)
	for _, a := range args {
		m.b.WriteString(` "` + Roff(a) + `"`)
	}
	m.b.WriteString("\n")
}

// text adds paragraphs separated by blank lines. Indented lines are kept as they are.
func (m *manual) text(s string) {
	literal, blank := false, false
	for _, l := range strings.Split(s, "\n") {
		if l == "" {
			blank = true
			continue
		}
		if indented := strings.HasPrefix(l, "  "); indented != literal {
			if indented {
				m.b.WriteString(".PP\n.nf\n.RS\n")
			} else {
				m.b.WriteString(".RE\n.fi\n.PP\n")
			}
			literal = indented
		} else if blank {
			m.b.WriteString(".PP\n")
		}
		blank = false
		m.b.WriteString(Roff(strings.TrimPrefix(l, "  ")) + "\n")
	}
	if literal {
		m.b.WriteString(".RE\n.fi\n")
	}
}

// item adds a term and what it means.
func (m *manual) item(term, about string) {
	m.b.WriteString(".TP\n.B " + Roff(term) + "\n")
	m.text(about)
}

// Page returns the manual page in roff, with the visible commands of app.
func Page(app *cli.App, version string) string {
	var m manual
	m.macro("TH", "RELAY", "1", "", "relay "+version, "User Commands")
	m.b.WriteString(".nh\n.ad l\n") // commands are not to be hyphenated, nor stretched
	m.macro("SH", "NAME")
	m.b.WriteString(`relay \- ` + Roff(app.Usage) + "\n")
	m.macro("SH", "SYNOPSIS")
	for i, c := range app.VisibleCommands() {
		if i > 0 {
			m.b.WriteString(".br\n")
		}
		m.b.WriteString(".B " + Roff(c.UsageText) + "\n")
	}
	m.macro("SH", "DESCRIPTION")
	m.text(manAbout)
	m.macro("SH", "COMMANDS")
	for _, c := range app.VisibleCommands() {
		m.macro("SS", c.UsageText)
		m.text(sentence(c.Usage))
		if c.Description != "" {
			m.b.WriteString(".PP\n")
			m.text(c.Description)
		}
		for _, f := range c.VisibleFlags() {
			if f == cli.HelpFlag { // of the command that runs
				continue
			}
			m.item(FlagTerm(f), flagAbout(f))
		}
	}
	m.macro("SH", "EXIT STATUS")
	for _, e := range fault.ExitCodes {
		m.item(fmt.Sprint(e.Code), e.About)
	}
	m.macro("SH", "ENVIRONMENT")
	for _, e := range manEnvironment {
		m.item(e[0], e[1])
	}
	m.macro("SH", "FILES")
	for _, f := range manFiles {
		m.item(f[0], f[1])
	}
	m.macro("SH", "EXAMPLES")
	for i, e := range manExamples {
		if i > 0 {
			m.b.WriteString(".PP\n")
		}
		m.text(e[0] + "\n\n  " + e[1])
	}
	return m.b.String()
}

// FlagTerm is a flag as it is written: "--output FILE, -o FILE".
func FlagTerm(f cli.Flag) string {
	value, _ := flag.Words(f)
	var all []string
	for _, n := range f.Names() {
		s := flag.Dashed(n)
		if value != "" {
			s += " " + value
		}
		all = append(all, s)
	}
	return strings.Join(all, ", ")
}

// flagAbout returns what a flag does, and its default.
func flagAbout(f cli.Flag) string {
	_, about := flag.Words(f)
	d, ok := f.(cli.DocGenerationFlag)
	if !ok || !d.TakesValue() || strings.Contains(about, "(default") {
		return sentence(about)
	}
	if def := d.GetDefaultText(); def != "" && def != `""` {
		about += " (default: " + def + ")"
	}
	return sentence(about)
}

// sentence turns a phrase into a sentence: a capital first, a full stop last.
func sentence(s string) string {
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
