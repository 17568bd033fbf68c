package naming

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"relay/relay/stream"
)

// idOf makes an ID that begins like that.
func idOf(start string) string { return start + strings.Repeat("a", 52-len(start)) }

func TestNameMeansTheChannelsItFitsBest(t *testing.T) {
	all := []Channel{
		0: {idOf("aaaabbbb"), []string{"Finals", "live"}},
		1: {idOf("aaaacccc"), []string{"Finals, table 3"}},
		2: {idOf("dddd"), []string{""}},
		3: {idOf("chess777"), []string{"  Quiz Night\n"}},
		4: {idOf("eeee"), []string{"CHESS777"}},       // the short form of another's ID
		5: {idOf("ffff"), []string{idOf("aaaabbbb")}}, // another's ID
		6: {idOf("gggg"), []string{"東京ライブ"}},
		7: {idOf("hhhh"), []string{"Ärger"}},
		8: {idOf("iiii"), []string{"Double"}},
		9: {idOf("jjjj"), []string{"double"}},
	}
	for name, want := range map[string][]int{
		"":                                nil,
		" \t":                             nil,
		"finals":                          {0}, // exact beats what begins so
		"FINALS":                          {0},
		"final":                           {0, 1},
		"finals,":                         {1},
		"live":                            {0}, // any of its names
		"li":                              {0},
		"table":                           nil,    // titles are not searched
		"f":                               {0, 1}, // a title's start may be short
		"dddd":                            {2},
		"ddd":                             nil, // an ID's may not
		"DDDD":                            {2},
		"aaaa":                            {0, 1, 5}, // 5 by its title
		"aaaac":                           {1},
		"aaaabbbb":                        {0}, // exact: the short form of an ID
		"aaaabbbba":                       {0},
		idOf("aaaabbbb"):                  {0}, // though 5 is called that
		strings.ToUpper(idOf("aaaabbbb")): {0},
		"chess777":                        {3, 4}, // neither takes the name from the other
		"chess":                           {3, 4},
		" quiz night ":                    {3},
		"東":                               {6},
		"ärger":                           {7},
		"double":                          {8, 9},
		"nobody":                          nil,
		idOf("aaaabbbb") + "a":            nil,
	} {
		got := Meant(name, all)
		if !slices.Equal(got, want) {
			t.Errorf("%q means %v, want %v", name, got, want)
		}
		i, err := One(name, all)
		var none *NoneError
		var many *AmbiguousError
		switch {
		case len(want) == 0 && !errors.As(err, &none),
			len(want) == 1 && (err != nil || i != want[0]),
			len(want) > 1 && (!errors.As(err, &many) || len(many.Channels) != len(want)):
			t.Errorf("%q: %d, %v", name, i, err)
		}
	}
}

func TestErrorsListWhatMayBeMeant(t *testing.T) {
	var all []Channel
	for i := range maxListed + 3 {
		all = append(all, Channel{idOf(fmt.Sprintf("%c", 'a'+i)), []string{fmt.Sprintf("Room %d\x1b", i)}})
	}
	all[1].Names = nil
	_, err := One("room", all)
	const want = `"room" may mean 10 channels: "Room 0\x1b" (aaaaaaaa), "Room 2\x1b" (caaaaaaa), `
	if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), ", 2 more") {
		t.Errorf("%v", err)
	}
	if _, err := One("hall\n", all); err == nil || err.Error() != `there is no channel "hall\n"` {
		t.Errorf("%v", err)
	}
	if _, err := One(" BA", all); err == nil || err.Error() != `" BA" is too short for an ID: 4 characters name one at least` {
		t.Errorf("%v", err)
	}
	if got, want := List(all[:2]), `"Room 0\x1b" (aaaaaaaa), baaaaaaa`; got != want {
		t.Errorf("listed %s, want %s", got, want)
	}
	if got := List(nil); got != "" {
		t.Errorf("listed %q of none", got)
	}
}

func FuzzMeant(f *testing.F) {
	f.Add("finals", "Finals", "Finals, table 3")
	f.Add("aaaabbbb", "AAAABBBB", "")
	f.Add("İ", "i̇stanbul", "ſ")
	f.Fuzz(func(t *testing.T, name, first, second string) {
		all := []Channel{{idOf("aaaabbbb"), []string{first}}, {idOf("aaaacccc"), []string{second}}}
		is := Meant(name, all)
		if !slices.Equal(is, Meant(strings.ToLower(" "+name+"\n"), all)) {
			t.Fatalf("%q means %v, and something else in lower case", name, is)
		}
		for k, i := range is {
			if i < 0 || i >= len(all) || k > 0 && i <= is[k-1] {
				t.Fatalf("%q means %v", name, is)
			}
		}
		for i, c := range all {
			if got := Meant(c.ID, all); !slices.Equal(got, []int{i}) {
				t.Fatalf("the ID of %d means %v", i, got)
			}
			if got := Meant(c.ID[:stream.ShortLen], all); !slices.Contains(got, i) {
				t.Fatalf("the short ID of %d means %v", i, got)
			}
		}
		slices.Reverse(all)
		if back := Meant(name, all); len(back) != len(is) {
			t.Fatalf("%q means %d channels, %d in another order", name, len(is), len(back))
		}
	})
}
