package playback

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"relay/ingest/flv"
	"relay/playback/api"
	"relay/playback/provenance"
	"relay/relay/archive"
	"relay/relay/stream"
)

// concert keeps half a minute of pictures and sound in a folder. In the middle the encoder is another one, and away for a while.
func concert(t *testing.T) (s *source, dir string) {
	t.Helper()
	s, dir = newSource(t, stream.Limits{}), t.TempDir()
	a, err := archive.Open(dir, s.id, archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(t.Context(), s.ring) }()
	ts := uint32(0)
	for i := range 30 {
		if i == 15 {
			ts += 9000
			s.reconfigure(ts, "another")
		}
		ts = s.group(ts) + 667
		time.Sleep(time.Second)
	}
	s.flush()
	s.ring.Close()
	if err := errors.Join(<-done, a.Close()); err != nil {
		t.Fatal(err)
	}
	return s, dir
}

// media is how many of the tags are no configurations.
func (s *source) media() (n uint64) {
	for _, t := range s.tags {
		if !flv.Classify(t).Config {
			n++
		}
	}
	return n
}

// rebroadcast are the tags of a replay, proofs included, as a source of its own would send them: later, and with its title.
func rebroadcast(t *testing.T, dir string) (of stream.ChannelID, tags []flv.Tag) {
	t.Helper()
	a, err := archive.OpenOld(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReplay(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	in := flv.NewReader(r)
	for tag, err := in.Next(); err == nil; tag, err = in.Next() {
		tag = bytes.Clone(tag)
		flv.PutTimestamp(tag, tag.Timestamp()+7_000_000)
		tags = append(tags, tag)
	}
	return r.Of(), slices.Insert(tags, 2, flv.NewTag(flv.Script, 0, flv.SetTitle(nil, "again")))
}

// checkedTags is what is found of tags.
func checkedTags(of stream.ChannelID, tags []flv.Tag) provenance.Report {
	c := provenance.NewChecker(of)
	for _, t := range tags {
		c.Add(t)
	}
	return c.Report()
}

func proof(t *testing.T, tag flv.Tag) *provenance.Proof {
	t.Helper()
	p, err := provenance.Parse(tag)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestARecordingThatWasAlteredIsNotShown has whoever broadcasts a recording do what a forger might.
func TestARecordingThatWasAlteredIsNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dir := concert(t)
		of, honest := rebroadcast(t, dir)
		media := s.media()
		if found := checkedTags(of, honest); found.Proved != media || found.Unproved != 0 || found.Made.IsZero() {
			t.Fatalf("an honest one: %+v of %d tags", found, media)
		}
		// Those in the middle: the second group of pictures and its proof.
		var proofs []int
		for i, tag := range honest {
			if provenance.Is(tag) {
				proofs = append(proofs, i)
			}
		}
		if len(proofs) < 30 {
			t.Fatalf("%d proofs", len(proofs))
		}
		from, to := proofs[0]+1, proofs[1] // honest[to] is the proof of honest[from:to]
		again := func(p *provenance.Proof) flv.Tag {
			tag, err := p.Tag(honest[to].Timestamp())
			if err != nil {
				t.Fatal(err)
			}
			return tag
		}
		forged := func(change func(p *provenance.Proof)) func([]flv.Tag) []flv.Tag {
			return func(tags []flv.Tag) []flv.Tag {
				p := proof(t, tags[to])
				change(p)
				tags[to] = again(p)
				return tags
			}
		}
		other := newSource(t, stream.Limits{})
		for name, alter := range map[string]func([]flv.Tag) []flv.Tag{
			"a byte of a picture": func(tags []flv.Tag) []flv.Tag { tags[from][100] ^= 1; return tags },
			"a byte of sound":     func(tags []flv.Tag) []flv.Tag { tags[from+1][20] ^= 1; return tags },
			"the type of a tag":   func(tags []flv.Tag) []flv.Tag { tags[from+1][0] = byte(flv.Video); return tags },
			"a picture is missing": func(tags []flv.Tag) []flv.Tag {
				return slices.Delete(tags, from+2, from+3)
			},
			"a picture is new": func(tags []flv.Tag) []flv.Tag { return slices.Insert(tags, to, bytes.Clone(tags[from])) },
			"ever more configurations": func(tags []flv.Tag) []flv.Tag {
				for range 100 {
					tags = slices.Insert(tags, from, avcConfig(0, "first"))
				}
				return tags
			},
			"a picture between": func(tags []flv.Tag) []flv.Tag { return slices.Insert(tags, from, bytes.Clone(tags[from])) },
			"a caption between": func(tags []flv.Tag) []flv.Tag {
				return slices.Insert(tags, from+3, flv.NewTag(flv.Script, 0, []byte("\x02\x00\x0aonTextData\x05")))
			},
			"another order": func(tags []flv.Tag) []flv.Tag {
				tags[from], tags[from+2] = tags[from+2], tags[from]
				return tags
			},
			"sound two seconds late": func(tags []flv.Tag) []flv.Tag {
				for _, tag := range tags[from:to] {
					if tag.Type() == flv.Audio {
						flv.PutTimestamp(tag, tag.Timestamp()+2000)
					}
				}
				return tags
			},
			"another configuration": func(tags []flv.Tag) []flv.Tag { return slices.Insert(tags, from, avcConfig(0, "forged")) },
			"another one to begin":  func(tags []flv.Tag) []flv.Tag { tags[0] = avcConfig(0, "forged"); return tags },
			"no proof":              func(tags []flv.Tag) []flv.Tag { return slices.Delete(tags, to, to+1) },
			"no proofs at all": func(tags []flv.Tag) []flv.Tag {
				n := 0
				return slices.DeleteFunc(tags, func(tag flv.Tag) bool { n++; return n > to && provenance.Is(tag) })
			},
			"the proof of others": func(tags []flv.Tag) []flv.Tag { tags[to] = tags[proofs[2]]; return tags },
			"garbage": func(tags []flv.Tag) []flv.Tag {
				tags[to] = flv.NewTag(flv.Script, 0, append(tags[to].Body()[:15:15], "\x0c\x00\x00\x00\x04AAAA"...))
				return tags
			},
			"cut short": func(tags []flv.Tag) []flv.Tag {
				tags[to] = flv.NewTag(flv.Script, 0, tags[to].Body()[:400])
				return tags
			},
			"a signature":        forged(func(p *provenance.Proof) { p.Chunks[0].Signature[3] ^= 1 }),
			"another time":       forged(func(p *provenance.Proof) { p.Chunks[0].Head[37] ^= 1 }),
			"a chunk less":       forged(func(p *provenance.Proof) { p.Chunks = p.Chunks[:len(p.Chunks)-1] }),
			"a chunk twice":      forged(func(p *provenance.Proof) { p.Chunks = append(p.Chunks, p.Chunks[0]) }),
			"a stamp":            forged(func(p *provenance.Proof) { p.Stamps[1]++ }),
			"a stamp less":       forged(func(p *provenance.Proof) { p.Stamps = p.Stamps[1:] }),
			"somebody's name":    forged(func(p *provenance.Proof) { p.Of[0] ^= 1 }),
			"no header":          forged(func(p *provenance.Proof) { p.Header = nil }),
			"another header":     forged(func(p *provenance.Proof) { p.Header[30] ^= 1 }),
			"a header of others": forged(func(p *provenance.Proof) { p.Header = other.ring.Header().Frame() }),
			"a configuration more": forged(func(p *provenance.Proof) {
				p.Configs = append(p.Configs, provenance.Config{Before: 1, Tag: avcConfig(0, "forged")})
			}),
			"one too far on": forged(func(p *provenance.Proof) {
				p.Configs = append(p.Configs, provenance.Config{Before: 9999, Tag: avcConfig(0, "first")})
			}),
		} {
			tags := make([]flv.Tag, len(honest))
			for i := range tags {
				tags[i] = bytes.Clone(honest[i])
			}
			if found := checkedTags(of, alter(tags)); found.Unproved == 0 {
				t.Errorf("%s: %+v", name, found)
			}
		}
		if found := checkedTags(stream.ChannelID{5}, honest); found.Proved != 0 || found.Unproved != media {
			t.Errorf("as that of another channel: %+v", found)
		}
		// Who begins anywhere finds nothing wrong.
		for at := 0; at < proofs[4]; at += 3 {
			if found := checkedTags(of, honest[at:]); found.Unproved != 0 || found.Proved+uint64(at)+100 < media {
				t.Fatalf("from tag %d on: %+v of %d", at, found, media)
			}
		}
	})
}

// TestARecordingSurvivesItsBroadcasts keeps what is broadcast of a recording, and broadcasts that, with holes.
func TestARecordingSurvivesItsBroadcasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dir := concert(t)
		media := s.media()
		of, tags := rebroadcast(t, dir)
		second, twice := newSource(t, stream.Limits{}), t.TempDir()
		second.key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
		second.id = stream.IDOf(second.key)
		second.restart()
		a, err := archive.Open(twice, second.id, archive.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- a.Run(t.Context(), second.ring) }()
		var head flv.Header
		c := second.channel()
		for i, tag := range tags {
			if i == 2 {
				tag = flv.NewTag(flv.Script, 0, flv.SetRecording(flv.SetTitle(nil, "again"), of.String()))
			}
			kind := flv.Classify(tag)
			if head.Add(tag, kind) {
				if err := second.writer.SetHeader(head.Payload()); err != nil {
					t.Fatal(err)
				}
			}
			flags := stream.Gathers
			if tag.Type() == flv.Video {
				flags |= stream.EndsChunk
			}
			if kind.Key {
				flags |= stream.StartHere
			}
			second.write(bytes.Clone(tag), flags)
			if i%10 == 0 {
				c.CheckRecording()
				synctest.Wait()
			}
		}
		second.flush()
		found := c.CheckRecording()
		if found == nil || !found.Shown() || found.Of != of.String() || found.Proved < media*9/10 || found.MadeMs == 0 {
			t.Fatalf("found %+v of %d tags", found, media)
		}
		if about := c.About().Recording; *about != *found {
			t.Errorf("the API has %+v", about)
		}
		second.ring.Close()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		third, again := rebroadcast(t, twice)
		if found := checkedTags(third, again); third != of || found.Unproved != 0 || found.Proved < media-1 {
			t.Errorf("broadcast twice: %+v of %v, %d tags", found, third, media)
		}
		// A disk that forgets costs what it forgot.
		spoil(t, dir)
		of, tags = rebroadcast(t, dir)
		if found := checkedTags(of, tags); found.Unproved != 0 || found.Proved < media/2 || found.Proved >= media {
			t.Errorf("spoilt: %+v of %d tags", found, media)
		}
	})
}

// spoil alters a byte in each segment that is long: in media, as what lies in the middle of a concert may be the other encoder's configuration.
func spoil(t *testing.T, dir string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		path := dir + "/" + f.Name()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 10_000 {
			b[len(b)/3] ^= 1
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestARecordingOfNobodyIsItsOwnSources keeps a channel that says nonsense of whose recording it is.
func TestARecordingOfNobodyIsItsOwnSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dir := newSource(t, stream.Limits{}), t.TempDir()
		var h flv.Header
		for _, tag := range []flv.Tag{flv.NewTag(flv.Script, 0, flv.SetRecording(nil, "nonsense")), avcConfig(0, "first")} {
			h.Add(tag, flv.Classify(tag))
		}
		if err := s.writer.SetHeader(h.Payload()); err != nil {
			t.Fatal(err)
		}
		a, err := archive.Open(dir, s.id, archive.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		s.group(0)
		s.flush()
		s.ring.Close()
		if err := errors.Join(a.Run(t.Context(), s.ring), a.Close()); err != nil {
			t.Fatal(err)
		}
		of, tags := rebroadcast(t, dir)
		if found := checkedTags(of, tags); of != s.id || found.Proved != s.media() || found.Unproved > 0 {
			t.Errorf("of %v: %+v", of, found)
		}
	})
}

func TestAStreamThatIsNoRecordingIsNotChecked(t *testing.T) {
	s := newSource(t, stream.Limits{})
	s.group(0)
	s.flush()
	if found := s.channel().CheckRecording(); found != nil {
		t.Errorf("found %+v", found)
	}
	for claim, want := range map[string]*api.Recorded{"nonsense": nil, s.id.String(): {Of: s.id.String(), Name: s.id.Short()}} {
		var h flv.Header
		tag := flv.NewTag(flv.Script, 0, flv.SetRecording(nil, claim))
		h.Add(tag, flv.Classify(tag))
		if err := s.writer.SetHeader(h.Payload()); err != nil {
			t.Fatal(err)
		}
		s.group(1000)
		s.flush()
		if found := s.channel().CheckRecording(); (found == nil) != (want == nil) || found != nil && *found != *want {
			t.Errorf("%q: found %+v, want %+v", claim, found, want)
		}
	}
}
