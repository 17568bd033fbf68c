package mpegts

import (
	"bytes"
	"slices"

	"relay/ingest/convert"
	"relay/ingest/flv"
)

const (
	// patience is how many packets may come before it is decided with what is known: 4 MB, some
	// seconds of a transponder.
	patience = 20_000
	// scrambledMost is how many packets in a row may be scrambled: keys change now and then.
	scrambledMost = 1000
)

// Stats counts what a transport stream brought.
type Stats struct {
	Packets   uint64 // in all
	Damaged   uint64 // that are no packets, or said to be damaged
	Scrambled uint64 // of the program
	Units     uint64 // left out because something of them was missing
	Convert   convert.Stats
}

// Demuxer makes tags of packets. It belongs to one goroutine.
type Demuxer struct {
	wanted int // program number, 0 for the first with media
	told   func(what convert.Trouble, which string)

	stats    Stats
	pat      sections
	maps     map[uint16]*sections // by PID
	table    []byte               // the newest PAT
	programs []program            // as it has them
	chosen   uint16               // program number, 0 before
	streams  streams              // of that
	raw      []byte               // its map
	refused  bool                 // a part of it was told to be left out
	fault    error                // why there will be nothing

	clock        convert.Unwrapper
	video, audio *pes
	// What is called with each unit of these: made once, not for each packet.
	onPicture, onSound func(unit []byte, lost bool)

	row  int // packets that were scrambled since the last that was not
	conv *convert.Converter
	came bool // there was a tag
	out  []flv.Tag
}

// Scrambled is that packets are encrypted, where others were not.
const Scrambled convert.Trouble = "scrambled"

// mp2 is the sound that is known for what it is only by its frames.
const mp2 = "MP2 sound"

// NewDemuxer returns a demuxer of the program of that number, or, if it is 0, of the first with
// pictures or sound. told, if not nil, hears once of each thing that is wrong but can be lived with,
// and, if sound is left out, which.
func NewDemuxer(number int, told func(what convert.Trouble, which string)) *Demuxer {
	if told == nil {
		told = func(convert.Trouble, string) {}
	}
	d := &Demuxer{
		wanted: number, told: told, maps: make(map[uint16]*sections),
		conv: convert.New(func(t convert.Trouble) { told(t, mp2) }),
	}
	d.onPicture, d.onSound = d.picture, d.sound
	return d
}

// Stats returns the counts so far.
func (d *Demuxer) Stats() Stats {
	s := d.stats
	for _, p := range []*pes{d.video, d.audio} {
		if p != nil {
			s.Units += p.broken
		}
	}
	s.Convert = d.conv.Stats()
	return s
}

// Packet takes the next packet, of 188 bytes. The list that it returns is good until the next call;
// the tags are the caller's. An error says why nothing will come of the stream: all later packets
// have it too, unless the stream becomes another one.
func (d *Demuxer) Packet(b []byte) ([]flv.Tag, error) {
	d.out = d.out[:0]
	d.stats.Packets++
	p, ok := parsePacket(b)
	if !ok || p.damaged {
		d.stats.Damaged++
	}
	if ok && p.payload != nil {
		d.route(p)
	}
	if d.chosen == 0 && d.stats.Packets%patience == 0 {
		d.choose()
	}
	d.came = d.came || len(d.out) > 0
	return d.out, d.fault
}

func (d *Demuxer) route(p packet) {
	switch {
	case p.pid == patPID:
		if !p.damaged {
			d.pat.next(p, d.association)
		}
	case d.chosen != 0 && d.video != nil && p.pid == d.streams.videoPID:
		d.media(d.video, p, d.onPicture)
	case d.chosen != 0 && d.audio != nil && p.pid == d.streams.audioPID:
		d.media(d.audio, p, d.onSound)
	default:
		if s := d.maps[p.pid]; s != nil && !p.damaged {
			s.next(p, func(b []byte) { d.mapped(p.pid, b) })
		}
	}
}

// Flush ends the stream: what it has of a unit is taken for whole.
func (d *Demuxer) Flush() ([]flv.Tag, error) {
	d.out = d.out[:0]
	if d.video != nil {
		d.video.finish(d.onPicture)
	}
	if d.audio != nil {
		d.audio.finish(d.onSound)
	}
	d.out = append(d.out, d.conv.Flush()...)
	if d.chosen == 0 {
		d.decide()
	}
	d.came = d.came || len(d.out) > 0
	if d.fault == nil && !d.came {
		d.fault = ErrNothing
	}
	return d.out, d.fault
}

// association takes a section of the PAT.
func (d *Demuxer) association(section []byte) {
	_, body, ok := inForce(section, patTable)
	if !ok || bytes.Equal(section, d.table) {
		return
	}
	d.table = bytes.Clone(section)
	programs := parsePAT(body)
	if several := section[7] > 0; several { // one of several sections: the others have other programs
		for _, p := range d.programs {
			if len(programs) < maxPrograms && !slices.ContainsFunc(programs, func(o program) bool { return o.number == p.number }) {
				programs = append(programs, p)
			}
		}
	}
	maps := make(map[uint16]*sections, len(programs))
	for i, p := range programs {
		if at := d.index(p.number); at >= 0 && d.programs[at].pid == p.pid {
			programs[i] = d.programs[at]
		}
		if maps[p.pid] = d.maps[p.pid]; maps[p.pid] == nil {
			maps[p.pid] = &sections{}
		}
	}
	d.programs, d.maps = programs, maps
	if d.chosen != 0 && d.index(d.chosen) < 0 {
		d.chosen, d.raw = 0, nil
	}
	d.choose()
}

func (d *Demuxer) index(number uint16) int {
	return slices.IndexFunc(d.programs, func(p program) bool { return p.number == number })
}

// mapped takes a section of a PMT.
func (d *Demuxer) mapped(pid uint16, section []byte) {
	number, body, ok := inForce(section, pmtTable)
	at := d.index(number)
	if !ok || at < 0 || d.programs[at].pid != pid {
		return
	}
	if number == d.chosen {
		if !bytes.Equal(section, d.raw) {
			d.raw = bytes.Clone(section)
			d.programs[at].streams = parsePMT(body)
			d.follow(d.programs[at].streams)
		}
		return
	}
	d.programs[at].mapped, d.programs[at].streams = true, parsePMT(body)
	d.choose()
}

// choose takes the first program that has media, as soon as those before it are known.
func (d *Demuxer) choose() {
	if d.chosen != 0 {
		return
	}
	for _, p := range d.programs {
		switch {
		case d.wanted != 0 && int(p.number) != d.wanted:
		case !p.mapped && d.stats.Packets < patience:
			return
		case p.mapped && p.streams.media():
			d.chosen, d.fault = p.number, nil
			d.follow(p.streams)
			return
		}
	}
	d.decide()
}

// decide says why there is nothing, if there never was anything.
func (d *Demuxer) decide() {
	if d.came {
		return
	}
	var has []string
	var numbers []int
	asked := false
	for _, p := range d.programs {
		numbers = append(numbers, int(p.number))
		asked = asked || int(p.number) == d.wanted
		if d.wanted != 0 && int(p.number) != d.wanted {
			continue
		}
		for _, name := range slices.Concat(p.streams.unseen, p.streams.unheard) {
			if !slices.Contains(has, name) && len(has) < maxNamed {
				has = append(has, name)
			}
		}
	}
	switch {
	case len(d.programs) == 0:
		d.fault = ErrNoProgram
	case d.wanted != 0 && !asked:
		d.fault = &ProgramError{d.wanted, numbers}
	default:
		d.fault = &CodecError{has}
	}
}

// follow takes the streams of the program, which may have been others before.
func (d *Demuxer) follow(s streams) {
	if d.video == nil || d.streams.videoPID != s.videoPID || d.streams.video != s.video {
		d.video = d.begin(d.video, d.onPicture, s.video)
	}
	if d.audio == nil || d.streams.audioPID != s.audioPID || d.streams.audio != s.audio {
		d.audio = d.begin(d.audio, d.onSound, s.audio)
	}
	d.streams = s
	d.conv.Configure(s.video, s.audio)
	if s.audio.Format == convert.None && len(s.unheard) > 0 && !d.refused {
		d.refused = true
		d.told(convert.Unheard, s.unheard[0])
	}
}

// begin makes room for a stream, in place of the one before, which has ended.
func (d *Demuxer) begin(old *pes, each func([]byte, bool), t convert.Track) *pes {
	if old != nil {
		old.finish(each)
		d.stats.Units += old.broken
	}
	if t.Format == convert.None {
		return nil
	}
	return &pes{}
}

// media takes a packet of the program.
func (d *Demuxer) media(s *pes, p packet, each func([]byte, bool)) {
	if p.scrambled {
		s.drop()
		d.scrambled()
		return
	}
	d.row = 0
	s.next(p, each)
}

func (d *Demuxer) scrambled() {
	d.stats.Scrambled++
	if d.row++; d.row == scrambledMost {
		if !d.came {
			d.fault = ErrScrambled
			return
		}
		d.told(Scrambled, "")
	}
}

// unit takes a unit of a stream apart.
func (d *Demuxer) unit(b []byte, lost bool) (convert.Unit, bool) {
	p, ok := parsePES(b)
	if p.scrambled {
		d.scrambled()
		return convert.Unit{}, false
	}
	if !ok {
		d.stats.Damaged++
		return convert.Unit{}, false
	}
	u := convert.Unit{Lost: lost, Data: p.data, HasPTS: p.hasPTS, HasDTS: p.hasDTS}
	if p.hasDTS {
		u.DTS = d.clock.Next(p.dts, 33)
	}
	if p.hasPTS {
		u.PTS = d.clock.Next(p.pts, 33)
	}
	return u, true
}

func (d *Demuxer) picture(b []byte, lost bool) {
	if u, ok := d.unit(b, lost); ok {
		d.out = append(d.out, d.conv.Picture(u)...)
	}
}

func (d *Demuxer) sound(b []byte, lost bool) {
	u, ok := d.unit(b, lost)
	if !ok {
		return
	}
	if d.streams.audio.Format == convert.Opus {
		whole := opusPackets(u.Data, func(packet []byte) {
			one := u
			one.Data = packet
			d.out = append(d.out, d.conv.Sound(one)...)
			u.HasPTS, u.Lost = false, false
		})
		if !whole {
			d.stats.Damaged++
		}
		return
	}
	d.out = append(d.out, d.conv.Sound(u)...)
	if c := d.conv.Stats(); d.video == nil && c.Sounds == 0 && c.Troubles[convert.Unheard] > 0 {
		d.fault = &CodecError{[]string{mp2}}
	}
}
