package ask

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"relay/cli/fault"
	"relay/relay"
)

// prompt is what stands in front of a command that was copied from a terminal or a page.
var prompt = regexp.MustCompile(`^(\$|#|%|>|❯|PS>|sudo)$`)

// program is what relay is called where it is started.
var program = regexp.MustCompile(`^(.*[/\\])?relay(\.exe)?$`)

// withLink are the commands that stand in front of a link, or of a channel's name.
var withLink = []string{"watch", "serve", "link", "tree", "top"}

// Typed returns the arguments without the command in front of them that was copied along with a link, such as
// "$ relay watch".
func Typed(args []string) []string {
	for {
		rest := args
		for len(rest) > 0 && prompt.MatchString(rest[0]) {
			rest = rest[1:]
		}
		if len(rest) < 2 || !program.MatchString(rest[0]) || !slices.Contains(withLink, rest[1]) {
			return args
		}
		args = rest[2:]
	}
}

// Command returns the arguments of relay without the prompt and the program's name that were copied along
// with the command, as in "relay $ relay watch".
func Command(args []string) []string {
	rest := args
	for len(rest) > 1 && prompt.MatchString(rest[0]) {
		rest = rest[1:]
	}
	if len(rest) > 1 && program.MatchString(rest[0]) {
		return Command(rest[1:])
	}
	return args
}

// Given reads the arguments where one link, address or name is expected. There are several where somebody has
// left the quotes out: of a command that was copied whole, of a link that is broken in two, of a link with a
// sentence around it, or of a name with blanks in it.
func Given(args []string) (Pasted, error) {
	args = Typed(args)
	switch len(args) {
	case 0:
		return Pasted{}, nil
	case 1:
		return Paste(args[0])
	}
	text := strings.Join(args, " ")
	if n := len(chunks(text)); n > 1 {
		return Pasted{}, fault.Usage("start it once for each; relay serve takes several at once", "there are %d links, and one is taken", n)
	}
	if len(args) == 2 { // perhaps nothing but a link and its rest
		lines := args[0] + "\n" + args[1]
		if _, bare := schemeless(lines); bare || len(chunks(args[0])) == 1 {
			text = lines
		}
	}
	return Paste(text)
}

// Invites reads the arguments where several links are expected, and asks pages for theirs, and byName what names mean.
func Invites(ctx context.Context, args []string, byName ByName) (all []relay.Invite, err error) {
	args = Typed(args)
	if text := strings.Join(args, " "); len(chunks(text)) > 0 && !slices.ContainsFunc(args, apart) {
		args = chunks(text)
	}
	for _, arg := range args {
		inv, err := Invite(ctx, arg, byName)
		if err != nil {
			return nil, err
		}
		all = append(all, inv)
	}
	return all, nil
}

// apart reports whether an argument is one by itself that has no scheme of a link's: a link that has lost it, or an address.
func apart(arg string) bool {
	p, err := Paste(arg)
	return err == nil && (p.Page != nil || len(p.Invite.Hosts) > 0 && indexFold(unescaped(arg), relay.Scheme) < 0)
}

// MediaFile reports whether a word is the name of a file that people want to broadcast, by its end.
func MediaFile(name string) bool {
	ends := []string{".flv", ".mp4", ".mkv", ".mov", ".webm", ".ts", ".avi", ".m4v", ".mpg", ".mpeg", ".mp3", ".aac"}
	return slices.Contains(ends, strings.ToLower(filepath.Ext(name)))
}

// chunks splits a text in front of each link in it. What stands in front of the first is left out.
func chunks(text string) (all []string) {
	text = unescaped(text)
	for {
		at := indexFold(text, relay.Scheme)
		if at < 0 {
			return all
		}
		next := indexFold(text[at+len(relay.Scheme):], relay.Scheme)
		if next < 0 {
			return append(all, text[at:])
		}
		next += at + len(relay.Scheme)
		all = append(all, strings.TrimSpace(text[at:next]))
		text = text[next:]
	}
}
