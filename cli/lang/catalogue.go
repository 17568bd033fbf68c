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

// Pack puts the catalogues of all languages but English, in the order of [Codes], into one: a column in English and one for
// each language, each with a line for each sentence. So each English sentence is in the program once. A line for each
// sentence with all of its languages would take a sixth more: what a language says again is then too far away for the
// compression to find it.
func Pack(all [][]Entry) ([]byte, error) {
	columns := make([][]string, len(all)+1)
	at := make(map[string]int) // of each English sentence
	for i, entries := range all {
		for _, e := range entries {
			n, is := at[e.English]
			if !is {
				n = len(at)
				at[e.English] = n
				for k := range columns {
					columns[k] = append(columns[k], "")
				}
				columns[0][n] = e.English
			}
			columns[i+1][n] = e.Words
		}
	}
	var text []string
	for _, c := range columns {
		text = append(text, strings.Join(c, "\n"))
	}
	var out bytes.Buffer
	z, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(z, strings.Join(text, betweenColumns)); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// betweenColumns is in no sentence.
const betweenColumns = "\f"

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
	columns := strings.Split(string(text), betweenColumns)
	words := strings.Split(columns[column], "\n")
	var all []Entry
	for i, english := range strings.Split(columns[0], "\n") {
		if words[i] != "" {
			all = append(all, Entry{english, words[i]})
		}
	}
	return all, nil
}
