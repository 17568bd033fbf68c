package seek

import (
	"testing"

	"relay/cli/domain"
	"relay/cli/follow"
	"relay/cli/lan"
	"relay/relay/discovery"
	"relay/relay/store"
	"relay/relay/stream"
)

func id(n byte) stream.ChannelID { return stream.ChannelID{n} }

func TestAnotherChannelUnderANameIsNoticed(t *testing.T) {
	named := func(as string, n byte) store.Named { return store.Named{As: as, Channel: id(n)} }
	records := func(ns ...byte) (all []domain.Record) {
		for _, n := range ns {
			all = append(all, domain.Record{Channel: id(n), Title: string('a' + rune(n))})
		}
		return all
	}
	for name, c := range map[string]struct {
		known         []store.Named
		now           byte
		says          []domain.Record
		changed, more bool
	}{
		"the first time":                        {nil, 1, records(1), false, false},
		"the same":                              {[]store.Named{named("example.org", 1)}, 1, records(1), false, false},
		"another":                               {[]store.Named{named("example.org", 1)}, 2, records(2), true, false},
		"one of two now":                        {[]store.Named{named("example.org", 1)}, 1, records(1, 2), false, false},
		"the other of two":                      {[]store.Named{named("example.org", 1)}, 2, records(1, 2), false, true},
		"one of two, both are others":           {[]store.Named{named("example.org", 1)}, 3, records(2, 3), true, false},
		"the same title, another channel":       {[]store.Named{named("example.org/c", 1), named("example.org", 1)}, 2, records(1, 2), true, false},
		"the same title in capitals":            {[]store.Named{named("example.org/C", 1)}, 2, records(1, 2), true, false},
		"one that had another title":            {[]store.Named{named("example.org/x", 2)}, 2, records(1, 2), false, false},
		"one alone that was one of two":         {[]store.Named{named("example.org/x", 2), named("example.org/y", 1)}, 2, records(2), false, false},
		"one alone that was neither of the two": {[]store.Named{named("example.org/x", 2), named("example.org/y", 1)}, 3, records(3), true, false},
	} {
		var r domain.Record
		for _, s := range c.says {
			if s.Channel == id(c.now) {
				r = s
			}
		}
		if _, changed, more := compare(c.known, store.Named{As: asOf("example.org", c.says, r), Channel: id(c.now)}, c.says); changed != c.changed || more != c.more {
			t.Errorf("%s: changed %v, more %v", name, changed, more)
		}
	}
}

func TestWhichWordsAreDomains(t *testing.T) {
	for word, want := range map[string]string{
		"example.org": "example.org", "example.org/x": "example.org x", "@example.org": "example.org", "movie.mov/": "movie.mov",
		"movie.mov": "", "movie.mp4": "", "Finals": "", "v1.2": "", "10.0.0.1": "", "nas.local": "",
	} {
		n, which, ok := Domain(word)
		got := string(n)
		if which != "" {
			got += " " + which
		}
		if ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q %v", word, got, ok)
		}
	}
}

// Others of a followed channel's name are asked about; those whose titles only begin so are not meant.
func TestANeighbourOfThatNameIsAskedAbout(t *testing.T) {
	cat := &lan.Catalog{}
	for i, title := range []string{"finals", "Finals", "finals, table 3", "other"} {
		cat.Add(discovery.Found{Channel: discovery.Channel{ID: id(byte(i)), Title: title}})
	}
	here, others := besides(cat, follow.Channel{Name: "finals", ID: id(0)})
	if here == nil || here.ID != id(0) || len(others) != 1 || others[0].ID != id(1) {
		t.Errorf("%+v %+v", here, others)
	}
	if here, others := besides(cat, follow.Channel{Name: "nothing", ID: id(9)}); here != nil || len(others) != 0 {
		t.Errorf("%+v %+v", here, others)
	}
}
