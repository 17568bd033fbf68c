package mpegts

import (
	"encoding/binary"

	"relay/ingest/convert"
)

const (
	patTable, pmtTable = 0x00, 0x02
	// tableHead is how long a section is in front of what its table has, and crcLen behind it.
	tableHead, crcLen = 8, 4
	// maxPrograms bounds the programs that are looked at: a satellite's transponder has 20.
	maxPrograms = 64
	// maxNamed bounds the streams that a refusal names.
	maxNamed = 8
)

// inForce returns what a section's table has, if it is of that type, and in force.
func inForce(section []byte, table byte) (number uint16, body []byte, ok bool) {
	if len(section) < tableHead+crcLen || section[0] != table || section[5]&1 == 0 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint16(section[3:]), section[tableHead : len(section)-crcLen], true
}

// program is one of those that a transport stream has.
type program struct {
	number, pid uint16 // of the map
	mapped      bool   // the map has come
	streams     streams
}

// streams are those of a program that matter: the first of pictures, the first of sound.
type streams struct {
	video, audio       convert.Track
	videoPID, audioPID uint16
	// unknown are names of pictures and of sound for which there is no codec.
	unseen, unheard []string
}

// media reports whether there is something to send: a program whose pictures cannot be carried is
// not sent as sound alone.
func (s streams) media() bool {
	return s.video.Format != convert.None || s.audio.Format != convert.None && len(s.unseen) == 0
}

// parsePAT returns the programs of a program association section (2.4.4.3).
func parsePAT(body []byte) (programs []program) {
	for ; len(body) >= 4 && len(programs) < maxPrograms; body = body[4:] {
		if n := binary.BigEndian.Uint16(body); n != 0 { // 0 is the network's own
			programs = append(programs, program{number: n, pid: binary.BigEndian.Uint16(body[2:]) & 0x1fff})
		}
	}
	return programs
}

// parsePMT reads a program map section (2.4.4.8). What is cut short is left out.
func parsePMT(body []byte) (s streams) {
	if len(body) < 4 {
		return s
	}
	skip := 4 + int(binary.BigEndian.Uint16(body[2:])&0x0fff)
	if skip > len(body) {
		return s
	}
	for b := body[skip:]; len(b) >= 5; {
		pid := binary.BigEndian.Uint16(b[1:]) & 0x1fff
		n := int(binary.BigEndian.Uint16(b[3:]) & 0x0fff)
		if n > len(b)-5 {
			break
		}
		s.add(b[0], pid, parseDescriptors(b[5:5+n]))
		b = b[5+n:]
	}
	return s
}

func (s *streams) add(typ byte, pid uint16, d descriptors) {
	t, unseen, unheard := kindOf(typ, d)
	switch {
	case t.Format.Pictures() && s.video.Format == convert.None:
		s.video, s.videoPID = t, pid
	case t.Format != convert.None && !t.Format.Pictures() && s.audio.Format == convert.None:
		s.audio, s.audioPID = t, pid
	case unseen != "" && len(s.unseen) < maxNamed:
		s.unseen = append(s.unseen, unseen)
	case unheard != "" && len(s.unheard) < maxNamed:
		s.unheard = append(s.unheard, unheard)
	}
}

// descriptors are what a program map says of a stream besides its type.
type descriptors struct {
	tags         [256]bool
	registration string // format_identifier (2.6.8), "" for none
	opus         int    // channels of Opus, 0 if they are not told
}

// Tags of descriptors (2.6; ETSI EN 300 468, 6.1).
const (
	tagRegistration = 0x05
	tagTeletext     = 0x56
	tagSubtitles    = 0x59
	tagAC3          = 0x6a
	tagEAC3         = 0x7a
	tagDTS          = 0x7b
	tagAAC          = 0x7c
	tagExtension    = 0x7f
	extensionOpus   = 0x80 // in the place for users
)

func parseDescriptors(b []byte) (d descriptors) {
	for len(b) >= 2 {
		tag, n := b[0], int(b[1])
		if b = b[2:]; n > len(b) {
			break
		}
		v := b[:n]
		d.tags[tag] = true
		switch {
		case tag == tagRegistration && n >= 4:
			d.registration = string(v[:4])
		case tag == tagExtension && n >= 2 && v[0] == extensionOpus:
			// channel_config_code ("Encapsulation of Opus in MPEG-TS"): up to 8 it is the number of
			// channels, 0 is two that have nothing to do with each other.
			if d.opus = int(v[1]); d.opus == 0 || d.opus > 8 {
				d.opus = 2
			}
		}
		b = b[n:]
	}
	return d
}

// kindOf says what a stream is (table 2-34 and what broadcasters add to it): one that can be carried,
// or the name of pictures or of sound that cannot. It is none of these for data.
func kindOf(typ byte, d descriptors) (t convert.Track, unseen, unheard string) {
	is := func(f convert.Format) (convert.Track, string, string) { return convert.Track{Format: f}, "", "" }
	switch typ {
	case 0x1b:
		return is(convert.H264)
	case 0x24:
		return is(convert.HEVC)
	case 0x03, 0x04:
		return is(convert.MP3) // its frames tell whether it is layer II
	case 0x0f:
		return is(convert.ADTS)
	case 0x11:
		return is(convert.LOAS)
	case 0x81:
		return is(convert.AC3)
	case 0x84, 0x87:
		return is(convert.EAC3)
	case 0x01, 0x02:
		return t, "MPEG-2 video", ""
	case 0x10:
		return t, "MPEG-4 part 2 video", ""
	case 0x21:
		return t, "JPEG 2000", ""
	case 0x33:
		return t, "VVC", ""
	case 0x42, 0xd2, 0xd4:
		return t, "AVS video", ""
	case 0xea:
		return t, "VC-1", ""
	case 0x82, 0x85, 0x86, 0x8a:
		if d.registration == "CUEI" { // marks for advertisements
			return t, "", ""
		}
		return t, "", "DTS sound"
	case 0x83:
		return t, "", "TrueHD sound"
	case 0x80:
		return t, "", "PCM sound"
	case 0x06:
		return kindOfPrivate(d)
	}
	return t, "", ""
}

// kindOfPrivate says what a stream is whose type says nothing.
func kindOfPrivate(d descriptors) (t convert.Track, unseen, unheard string) {
	switch {
	case d.registration == "Opus":
		return convert.Track{Format: convert.Opus, Channels: d.opus}, "", ""
	case d.registration == "HEVC":
		return convert.Track{Format: convert.HEVC}, "", ""
	case d.registration == "AC-3", d.tags[tagAC3]:
		return convert.Track{Format: convert.AC3}, "", ""
	case d.registration == "EAC3", d.tags[tagEAC3]:
		return convert.Track{Format: convert.EAC3}, "", ""
	case d.registration == "AV01":
		return t, "AV1 in MPEG-TS", ""
	case d.registration == "BSSD":
		return t, "", "PCM sound"
	case d.registration == "DTS1", d.registration == "DTS2", d.registration == "DTS3", d.tags[tagDTS]:
		return t, "", "DTS sound"
	}
	return t, "", ""
}
