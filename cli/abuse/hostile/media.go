package hostile

import "strings"

// unit is one tag of a hostile encoder.
type unit struct {
	typ  byte
	ms   uint32
	body []byte
}

// Parts of an honest stream: ISO/IEC 14496-10 and -15, and AAC-LC at 48 kHz in stereo.
var (
	sps     = []byte("\x67\x64\x00\x1e\xac\xd9\x40\xa0\x2f\xf9\x70\x11\x00\x00\x03\x00\x01\x00\x00\x03\x00\x32\x0f\x16\x2d\x96")
	pps     = []byte("\x68\xeb\xe3\xcb\x22\xc0")
	config  = cat("\x01\x64\x00\x1e\xff\xe1", with16(sps), "\x01", with16(pps))
	picture = cat("\x65\x88\x84", rep(0x5a, 60))
)

func video(ms uint32, head string, body ...any) unit {
	return unit{videoMessage, ms, cat(head, cat(body...))}
}

func audio(ms uint32, body ...any) unit { return unit{audioMessage, ms, cat(body...)} }
func script(body ...any) unit           { return unit{dataAMF0, 0, cat(body...)} }

// What stands in front of an AVC configuration, a key frame and another frame.
const (
	avcConfig = "\x17\x00\x00\x00\x00"
	avcKey    = "\x17\x01\x00\x00\x00"
	avcFrame  = "\x27\x01\x00\x00\x00"
)

func nal(b []byte) []byte { return cat(u32(uint32(len(b))), b) }

// honest is a beginning after which a hostile tag meets decoders that are set up.
func honest() []unit {
	return []unit{
		video(0, avcConfig, config), audio(0, "\xaf\x00\x11\x90"),
		video(0, avcKey, nal(picture)), audio(10, "\xaf\x01\x21\x10\x05\x20\xa4\x1b\xff\xc0"),
	}
}

// sequence is a stream of tags with a name.
type sequence struct {
	name  string
	units []unit
}

// sequences are hostile streams: some never begin well, and some begin well.
func sequences() []sequence {
	var all []sequence
	for _, c := range [][]sequence{avcConfigs(), avcPictures(), sounds(), enhanced(), scripts(), times()} {
		all = append(all, c...)
	}
	return all
}

// configured is a configuration, and a picture that needs it.
func configured(name string, c ...any) sequence {
	return sequence{name, []unit{video(0, avcConfig, c...), video(40, avcKey, nal(picture)), video(80, avcFrame, nal([]byte("\x41\x9a\x00")))}}
}

func avcConfigs() []sequence {
	withSPS := func(name string, s []byte) sequence {
		return configured(name, "\x01\x64\x00\x1e\xff\xe1", with16(s), "\x01", with16(pps))
	}
	return []sequence{
		configured("AVC: an empty configuration"),
		configured("AVC: a configuration of one byte", "\x01"),
		configured("AVC: a configuration without sets", "\x01\x64\x00\x1e\xff\xe0\x00"),
		configured("AVC: version 0", "\x00", config[1:]),
		configured("AVC: lengths of 3 bytes", "\x01\x64\x00\x1e\xfe\xe1", with16(sps), "\x01", with16(pps)), // aborted SRS (#4740)
		configured("AVC: lengths of 1 byte", "\x01\x64\x00\x1e\xfc\xe1", with16(sps), "\x01", with16(pps)),
		configured("AVC: 31 sets, none there", "\x01\x64\x00\x1e\xff\xff"),
		configured("AVC: a set longer than the tag", "\x01\x64\x00\x1e\xff\xe1\xff\xff\x67\x64"),
		configured("AVC: 255 picture sets, none there", "\x01\x64\x00\x1e\xff\xe1", with16(sps), "\xff"),
		configured("AVC: a configuration, cut in the set", config[:20]),
		configured("AVC: a megabyte of set", "\x01\x64\x00\x1e\xff\xe1", u16(65535), rep(0x67, 65535), "\x01", with16(pps)),
		configured("AVC: rubbish behind the sets", config, rep(255, 1000)),
		configured("AVC: the configuration in start codes", "\x00\x00\x00\x01", sps, "\x00\x00\x00\x01", pps),
		withSPS("AVC: an empty set", nil),
		withSPS("AVC: a set of its type alone", []byte{0x67}),
		withSPS("AVC: a set without a zero byte", rep(0x67, 40)), // read beyond its end in brpc (#3371)
		withSPS("AVC: a set of zeros", cat("\x67", rep(0, 40))),  // Exp-Golomb codes that do not end
		withSPS("AVC: a set of ones", cat("\x67", rep(255, 40))), // picture of no size
		withSPS("AVC: a set of profile 0", cat("\x67\x00\x00\x00\x80")),
		withSPS("AVC: a billion reference frames in a cycle", cat("\x67\x42\x00\x1e\xf4\x00\x00\x00\x00\x7f\xff\xff\xff\xe8", rep(0x80, 8))), // 9 GB in mp4ff (#550)
		withSPS("AVC: pictures of 2^31 by 2^31", cat("\x67\x42\x00\x1e\xf8\x00\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x01\xff\xff\xff\xfe\x80")),
		withSPS("AVC: cropped to less than nothing", cat("\x67\x42\x00\x1e\xda\x00\x28\x02\xdd\x00\x7f\xff\x00\x7f\xff\x80")),
		withSPS("AVC: emulation bytes alone", cat("\x67", []byte(strings.Repeat("\x00\x00\x03", 20)))),
		{"AVC: a new configuration with each picture", []unit{
			video(0, avcConfig, config), video(0, avcKey, nal(picture)),
			video(40, avcConfig, cat(config, "x")), video(40, avcKey, nal(picture)),
			video(80, avcConfig, cat(config, "yy")), video(80, avcKey, nal(picture)),
		}},
	}
}

func avcPictures() []sequence {
	after := func(name string, b ...any) sequence {
		return sequence{name, append(honest(), video(40, avcKey, b...), video(80, avcFrame, b...))}
	}
	return []sequence{
		{"a video tag of no byte", append(honest(), unit{videoMessage, 40, nil})},
		{"a video tag of one byte", append(honest(), unit{videoMessage, 40, []byte{0x17}})},
		{"a key frame cut in its time", append(honest(), unit{videoMessage, 40, []byte("\x17\x01\x00")})},
		{"AVC: no NAL unit", append(honest(), video(40, avcKey))},
		after("AVC: a length cut", "\x00\x00"),
		after("AVC: a unit of no bytes", u32(0)),
		after("AVC: a hundred units of no bytes", rep(0, 400)),
		after("AVC: a unit longer than the tag", u32(1000), "\x65"),
		after("AVC: a unit of 4 GiB", u32(1<<32-1), "\x65"),
		after("AVC: a unit of 2 GiB", u32(1<<31), "\x65"),
		after("AVC: start codes and lengths", nal(picture), "\x00\x00\x00\x01", picture),
		after("AVC: start codes alone", rep(0, 30), "\x00\x00\x00\x01\x00\x00\x01\x00\x00\x01"),
		after("AVC: 10,000 units of one byte", []byte(strings.Repeat("\x00\x00\x00\x01\x65", 10_000))),
		after("AVC: a SEI that does not end", nal(cat("\x06", rep(255, 300)))),
		after("AVC: a SEI longer than itself", nal([]byte("\x06\x06\xff\xff\xff\x01"))),
		after("AVC: sets among pictures, broken", nal([]byte{0x67}), nal([]byte{0x68}), nal(picture)),
		after("AVC: units of reserved types", nal([]byte{0x1e, 1}), nal([]byte{0x1f, 1}), nal([]byte{0xff, 1})),
		{"AVC: composition times of -2^23 and 2^23 - 1", append(honest(), video(40, "\x17\x01\x80\x00\x00", nal(picture)), video(80, "\x27\x01\x7f\xff\xff", nal(picture)))},
		{"AVC: an end of sequence, and on", append(honest(), video(40, "\x17\x02\x00\x00\x00"), video(80, avcFrame, nal(picture)))},
		{"AVC: packet types 3 to 255", append(honest(), video(40, "\x17\x03\x00\x00\x00x"), video(41, "\x17\xff\x00\x00\x00x"))},
		{"frames of no type", append(honest(), video(40, "\x07\x01\x00\x00\x00", nal(picture)), video(80, "\x67\x01\x00\x00\x00", nal(picture)))},
		{"codecs 0 to 15", codecs(0x10, videoMessage)},
		{"a megabyte of picture", append(honest(), video(40, avcKey, nal(cat("\x65", rep(0x88, 1<<20)))))},
	}
}

// codecs is a tag for each codec that four bits can name.
func codecs(high byte, typ byte) []unit {
	var all []unit
	for c := range byte(16) {
		all = append(all, unit{typ, uint32(c), cat(high|c, "\x00\x00\x00\x00abc")}, unit{typ, uint32(c), cat(high|c, "\x01\x00\x00\x00", rep(c, 40))})
	}
	return all
}

func sounds() []sequence {
	with := func(name string, c ...any) sequence {
		return sequence{name, []unit{audio(0, "\xaf\x00", cat(c...)), audio(20, "\xaf\x01", rep(0x21, 30)), audio(40, "\xaf\x01", rep(0x21, 30))}}
	}
	var aac []sequence
	for _, c := range []struct{ name, config string }{
		{"AAC: an empty configuration", ""},
		{"AAC: one byte of configuration", "\x11"},
		{"AAC: type 0", "\x00\x00"},
		{"AAC: type 31, escaped, cut", "\xf8"},
		{"AAC: rate 13", "\x16\x90"},
		{"AAC: a rate of its own, of 0", "\x17\x80\x00\x00\x08"},
		{"AAC: a rate of its own, cut", "\x17\x80"},
		{"AAC: no channels", "\x11\x80"},
		{"AAC: 15 channels", "\x11\xf8"},
		{"AAC: SBR, cut", "\x2b\x11"},
		{"AAC: SBR within SBR", "\x2b\x12\xa8\xaa\xaa\xaa"},
		{"AAC: a program that does not end", "\x11\x80" + strings.Repeat("\xff", 40)},
		{"AAC: ones", strings.Repeat("\xff", 64)},
		{"AAC: 60 KiB of configuration", "\x11\x90" + strings.Repeat("\x00", 60<<10)},
	} {
		aac = append(aac, with(c.name, c.config))
	}
	return append(aac,
		sequence{"an audio tag of no byte", append(honest(), unit{audioMessage, 40, nil})},
		sequence{"an audio tag of one byte", append(honest(), unit{audioMessage, 40, []byte{0xaf}})},
		sequence{"AAC: a frame of no bytes", append(honest(), audio(40, "\xaf\x01"))},
		sequence{"AAC: a frame in ADTS", append(honest(), audio(40, "\xaf\x01\xff\xf1\x4c\x80\x1f\xff\xfc", rep(0, 500)))},
		sequence{"AAC: a frame of 500 KiB", append(honest(), audio(40, "\xaf\x01", rep(0x21, 500<<10)))},
		sequence{"AAC: frames before any configuration", []unit{audio(0, "\xaf\x01abc"), audio(20, "\xaf\x01abc")}},
		sequence{"MP3: a header alone", append(honest(), audio(40, "\x2f\xff\xfb\x90\x00"))},
		sequence{"MP3: rate and layer reserved", append(honest(), audio(40, "\x2f\xff\xe9\xfc\x00", rep(0, 100)), audio(60, "\x2f\xff\xff\xff\xff", rep(255, 100)))},
		sequence{"sound of all formats", soundFormats()},
	)
}

func soundFormats() []unit {
	var all []unit
	for f := range byte(16) {
		all = append(all, audio(uint32(f), f<<4|0xf, "\x00abc"), audio(uint32(f), f<<4|0xf, "\x01", rep(f, 20)))
	}
	return all
}

func enhanced() []sequence {
	v := func(name string, head byte, fourCC string, body ...any) sequence {
		return sequence{name, append(honest(), unit{videoMessage, 40, cat(head, fourCC, cat(body...))}, unit{videoMessage, 80, cat(0x91, fourCC, "\x00\x00\x00", rep(1, 30))})}
	}
	a := func(name string, head byte, fourCC string, body ...any) sequence {
		return sequence{name, append(honest(), unit{audioMessage, 40, cat(head, fourCC, cat(body...))}, unit{audioMessage, 80, cat(0x91, fourCC, rep(1, 30))})}
	}
	return []sequence{
		v("enhanced: a FourCC cut", 0x90, "hv"),
		v("enhanced: a codec of no name", 0x90, "????", "x"),
		v("HEVC: an empty configuration", 0x90, "hvc1"),
		v("HEVC: a configuration of zeros", 0x90, "hvc1", rep(0, 23)),
		v("HEVC: 255 arrays", 0x90, "hvc1", "\x01", rep(0, 21), "\xff\xa0\xff\xff\xff\xff"),
		v("HEVC: sets of no bytes", 0x90, "hvc1", "\x01", rep(0, 20), "\x0f\x03\xa0\x00\x01\x00\x00\xa1\x00\x01\x00\x00\xa2\x00\x01\x00\x00"),
		v("HEVC: sets of ones", 0x90, "hvc1", "\x01", rep(0, 20), "\x0f\x02\xa1\x00\x01", with16("\x42\x01", rep(255, 60)), "\xa2\x00\x01", with16("\x44\x01", rep(255, 60))),
		v("HEVC: sets of zeros", 0x90, "hvc1", "\x01", rep(0, 20), "\x0f\x02\xa1\x00\x01", with16("\x42\x01", rep(0, 60)), "\xa2\x00\x01", with16("\x44\x01", rep(0, 60))),
		v("AV1: an empty configuration", 0x90, "av01"),
		v("AV1: a unit of 2^56 bytes", 0x90, "av01", "\x81\x00\x0c\x00\x0a\xff\xff\xff\xff\xff\xff\xff\x7f"),
		v("AV1: LEB128 that does not end", 0x91, "av01", "\x12", rep(0x80, 40)),
		v("AV1: a sequence header cut", 0x90, "av01", "\x81\x00\x0c\x00\x0a\x01\x00"),
		v("VP9: an empty configuration", 0x90, "vp09"),
		v("VP9: a configuration of ones", 0x90, "vp09", rep(255, 12)),
		v("VP9: frames of frames", 0x91, "vp09", "\xc9\xff\xff\xff\xff\xc9"),
		v("multitrack: tracks longer than the tag", 0x96, "", "\x10hvc1\x00\xff\xff\xffx"),
		v("multitrack within multitrack", 0x96, "", "\x26hvc1\x00\x00\x00\x01\x96"),
		v("multitrack: many codecs, cut", 0x96, "", "\x20av0"),
		v("ModEx that does not end", 0x97, "", "\xff\xff\xff"),
		v("ModEx: a hundred in a row", 0x97, "", []byte(strings.Repeat("\x02\x00\x00\x00\x07", 100))),
		v("metadata of colours, nested", 0x94, "hvc1", []byte(strings.Repeat("\x03\x00\x01a", 3000))),
		v("a command frame", 0xd0, "hvc1", "\x00"),
		a("Opus: an empty head", 0x90, "Opus"),
		a("Opus: 255 channels", 0x90, "Opus", "OpusHead\x01\xff\x00\x00\x80\xbb\x00\x00\x00\x00\xff", rep(255, 257)),
		a("Opus: a head cut", 0x90, "Opus", "OpusHead\x01"),
		a("Opus: a packet of code 3 with 63 frames", 0x91, "Opus", "\xff\xff", rep(255, 10)),
		a("enhanced AAC: no configuration", 0x90, "mp4a"),
		a("AC-3: a header of ones", 0x91, "ac-3", "\x0b\x77\xff\xff\xff\xff"),
		a("FLAC: a STREAMINFO cut", 0x90, "fLaC", "fLaC\x80\x00\x00\x22\x00"),
		a("channels: an order of 255 channels", 0x95, "Opus", "\x02\xff\x01"),
		a("multitrack sound: cut", 0x95, "", "\x10Op"),
	}
}

func scripts() []sequence {
	with := func(name string, b ...any) sequence {
		return sequence{name, append([]unit{script(b...)}, honest()...)}
	}
	meta := amfString("onMetaData")
	deep := strings.Repeat("\x03\x00\x01a", 5000)
	return []sequence{
		with("a script of no byte"),
		with("a script of zeros", rep(0, 100)),
		with("onMetaData without a value", meta),
		with("onMetaData of a number", meta, amfNumber(1)),
		with("onMetaData that does not end", meta, "\x08", u32(1<<32-1), with16("a"), amfNumber(1)),
		with("onMetaData, 5,000 deep", meta, deep),
		with("@setDataFrame alone", amfString("@setDataFrame")),
		with("@setDataFrame of itself", amfString("@setDataFrame"), amfString("@setDataFrame"), meta),
		with("a width of NaN", meta, amfObject("width", cat("\x00\x7f\xf8", rep(0, 6)), "height", amfNumber(-1e308), "framerate", amfNumber(0))),
		with("a duration of infinity", meta, amfObject("duration", cat("\x00\x7f\xf0", rep(0, 6)))),
		with("a title with orders to the terminal", meta, amfObject("title", amfString("\x1b]0;owned\x07\x1b[2J\r\nrelay://x"))),
		with("a title in markup", meta, amfObject("title", amfString("<script>alert(1)</script>"))),
		with("a title of 60,000 letters", meta, amfObject("title", amfString(strings.Repeat("t", 60_000)))),
		with("a title that is no UTF-8", meta, amfObject("title", amfString("\xff\xfe\xed\xa0\x80"))),
		with("10,000 keys", meta, "\x08", u32(10_000), []byte(strings.Repeat("\x00\x01k\x05", 10_000)), "\x00\x00\x09"),
		with("keyframes of a billion", meta, amfObject("keyframes", amfObject("times", cat("\x0a", u32(1_000_000_000), amfNumber(0))))),
		with("onTextData of rubbish", amfString("onTextData"), rep(255, 40)),
		with("60 KiB of references", meta, "\x03", []byte(strings.Repeat("\x00\x01r\x07\x00\x00", 10_000)), "\x00\x00\x09"),
		{"a script in AMF3", append(honest(), unit{dataAMF3, 40, cat("\x00", meta, deep)}, unit{dataAMF3, 41, cat("\x0a\x0b\x01")})},
	}
}

func times() []sequence {
	at := func(name string, ms ...uint32) sequence {
		s := sequence{name, honest()}
		for i, t := range ms {
			s.units = append(s.units, video(t, []string{avcKey, avcFrame}[i%2], nal(picture)), audio(t, "\xaf\x01abcdef"))
		}
		return s
	}
	back := honest()
	for i := range uint32(200) { // one forward, two back
		back = append(back, video(1<<20-i*500, avcKey, nal(picture)), video(i*700, avcFrame, nal(picture)))
	}
	return []sequence{
		at("times: at the wrap", 0xffffff00, 0xfffffff0, 0x10, 0x100),
		at("times: to the end of time and back", 0xffffffff, 0, 0xffffffff, 0),
		at("times: all at 2^24 - 1", 0xffffff, 0xffffff, 0xffffff),
		at("times: all at once", 40, 40, 40, 40, 40, 40, 40, 40),
		at("times: half of all that there is", 0x7fffffff, 0x80000000, 0x80000001),
		at("times: backwards", 5000, 4000, 3000, 2000, 1000, 0),
		at("times: hours apart", 0, 36_000_000, 72_000_000, 108_000_000),
		{"times: to and fro, 200 times", back},
	}
}

// mediaTable is what an encoder says that has the key.
func mediaTable(key string) Table {
	t := Table{Port: Media}
	for _, s := range sequences() {
		b := cat(opened(), message(3, commandAMF0, 1, command("publish", 3, amfNull(), amfString(key), amfString("live"))),
			message(2, setChunkSize, 0, u32(65536)))
		for _, u := range s.units {
			b = cat(b, messageAt(4, u.typ, 1, u.ms, u.body, 65536))
		}
		t.Inputs = append(t.Inputs, Input{s.name, b, Ended, "NetStream.Publish.Start"})
	}
	return t
}
