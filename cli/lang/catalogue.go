package lang

import (
	"bufio"
	"bytes"
	"compress/flate"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
)

// packed is the catalogue of all languages, made of words/ by pack.
//
//go:embed words.z
var packed []byte

// Entry is a sentence of a catalogue: in English, and in the language.
type Entry struct{ English, Words string }

// Parse reads a file of words/. Lines that begin with # are remarks. Any other is a sentence in English, and the one
// below it is "=" and the sentence in the language.
func Parse(r io.Reader) ([]Entry, error) {
	var all []Entry
	english, lines := "", bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), " \r")
		words, is := strings.CutPrefix(line, "=")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case is && english != "":
			all, english = append(all, Entry{english, strings.TrimPrefix(words, " ")}), ""
		case is || english != "":
			return nil, fmt.Errorf("line %d: each sentence has one line in English, and one that begins with = below it", n)
		default:
			english = line
		}
	}
	if english != "" {
		return nil, fmt.Errorf("%q has no line that begins with = below it", english)
	}
	return all, lines.Err()
}

// Pack puts the catalogues of all languages but English, in the order of [Codes], into one: a line for each sentence,
// with the languages behind tabs. So each English sentence is in the program once.
func Pack(all [][]Entry) ([]byte, error) {
	var order []string
	rows := make(map[string][]string)
	for i, entries := range all {
		for _, e := range entries {
			if rows[e.English] == nil {
				order = append(order, e.English)
				rows[e.English] = make([]string, len(all))
			}
			rows[e.English][i] = e.Words
		}
	}
	var out bytes.Buffer
	z, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	for _, e := range order {
		fmt.Fprintf(z, "%s\t%s\n", e, strings.Join(rows[e], "\t"))
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// unpack returns the sentences of one language.
func unpack(code string) ([]Entry, error) {
	column := slices.Index(Codes, code)
	if column < 1 {
		return nil, fmt.Errorf("no language %q", code)
	}
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		return nil, err
	}
	var all []Entry
	for line := range strings.Lines(string(text)) {
		if row := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); row[column] != "" {
			all = append(all, Entry{row[0], row[column]})
		}
	}
	return all, nil
}
