package flv

import (
	"bytes"
	"strings"
	"testing"
)

const (
	sps = "\x67\x64\x00\x1e\xac"
	pps = "\x68\xee\x3c"
	// newSPS has the number of sps, and another level; secondPPS has number 1.
	newSPS    = "\x67\x64\x00\x28\xac"
	secondPPS = "\x68\x5e\x3c"
	long      = "\x00\x00\x00\x01" // start codes
	short     = "\x00\x00\x01"
	made      = "\x01\x64\x00\x1e\xff\xe1\x00\x05" + sps + "\x01\x00\x03" + pps
)

func TestAVCBecomesWhatFLVHas(t *testing.T) {
	const plainConfig = "\x17\x00\x00\x00\x00"
	for name, c := range map[string]struct {
		in   []string
		want []string
	}{
		"start codes everywhere": {
			[]string{plainConfig + long + sps + long + pps, keyHead + long + "\x65\x88\x84", "\x27\x01\x00\x00\x28" + short + "\x41\x9a"},
			[]string{plainConfig + made, keyHead + "\x00\x00\x00\x03\x65\x88\x84", "\x27\x01\x00\x00\x28\x00\x00\x00\x02\x41\x9a"},
		},
		"parameter sets in the key frame alone": {
			[]string{keyHead + long + "\x09\x10" + long + sps + short + pps + short + "\x65\x88", keyHead + long + sps + short + pps + short + "\x65\x89"},
			[]string{
				plainConfig + made,
				keyHead + "\x00\x00\x00\x02\x09\x10\x00\x00\x00\x05" + sps + "\x00\x00\x00\x03" + pps + "\x00\x00\x00\x02\x65\x88",
				keyHead + "\x00\x00\x00\x05" + sps + "\x00\x00\x00\x03" + pps + "\x00\x00\x00\x02\x65\x89",
			},
		},
		"parameter sets as a frame of their own": {
			[]string{keyHead + long + sps + long + pps, keyHead + long + "\x65\x88"},
			[]string{plainConfig + made, keyHead + "\x00\x00\x00\x02\x65\x88"},
		},
		"one set after the other": {
			[]string{keyHead + long + sps, keyHead + long + pps, keyHead + long + "\x65\x88"},
			[]string{plainConfig + made, keyHead + "\x00\x00\x00\x02\x65\x88"},
		},
		"a right configuration, and start codes": {
			[]string{plainConfig + made, keyHead + long + "\x65\x88\x84"},
			[]string{plainConfig + made, keyHead + "\x00\x00\x00\x03\x65\x88\x84"},
		},
		"enhanced": {
			[]string{"\x90avc1" + long + sps + long + pps, "\x91avc1\x00\x00\x50" + long + "\x65\x88", "\xa3avc1" + long + "\x41\x9a"},
			[]string{"\x90avc1" + made, "\x91avc1\x00\x00\x50\x00\x00\x00\x02\x65\x88", "\xa3avc1\x00\x00\x00\x02\x41\x9a"},
		},
		"parameter sets in band, other than those of the configuration": {
			[]string{
				plainConfig + made, keyHead + "\x00\x00\x00\x05" + sps + "\x00\x00\x00\x03" + pps + "\x00\x00\x00\x01\x65",
				keyHead + "\x00\x00\x00\x05" + newSPS + "\x00\x00\x00\x01\x65",
			},
			[]string{
				plainConfig + made, keyHead + "\x00\x00\x00\x05" + sps + "\x00\x00\x00\x03" + pps + "\x00\x00\x00\x01\x65",
				plainConfig + strings.Replace(strings.Replace(made, sps, newSPS, 1), "\x64\x00\x1e\xff", "\x64\x00\x28\xff", 1), keyHead + "\x00\x00\x00\x05" + newSPS + "\x00\x00\x00\x01\x65",
			},
		},
		"a second picture parameter set in band": {
			[]string{plainConfig + made, "\x27\x01\x00\x00\x00\x00\x00\x00\x03" + secondPPS + "\x00\x00\x00\x01\x41"},
			[]string{
				plainConfig + made,
				plainConfig + strings.Replace(made, "\x01\x00\x03"+pps, "\x02\x00\x03"+pps+"\x00\x03"+secondPPS, 1),
				"\x27\x01\x00\x00\x00\x00\x00\x00\x03" + secondPPS + "\x00\x00\x00\x01\x41",
			},
		},
		"a configuration that is repeated, although the pictures have told another": {
			[]string{
				plainConfig + made, keyHead + "\x00\x00\x00\x05" + newSPS + "\x00\x00\x00\x01\x65",
				plainConfig + made, keyHead + "\x00\x00\x00\x05" + newSPS + "\x00\x00\x00\x01\x65",
			},
			[]string{
				plainConfig + made, plainConfig + strings.Replace(strings.Replace(made, sps, newSPS, 1), "\x64\x00\x1e\xff", "\x64\x00\x28\xff", 1),
				keyHead + "\x00\x00\x00\x05" + newSPS + "\x00\x00\x00\x01\x65", keyHead + "\x00\x00\x00\x05" + newSPS + "\x00\x00\x00\x01\x65",
			},
		},
		"a configuration that holds again, after pictures have told another": {
			[]string{
				plainConfig + made, keyHead + "\x00\x00\x00\x05" + newSPS + "\x00\x00\x00\x01\x65",
				plainConfig + made, "\x27\x01\x00\x00\x00\x00\x00\x00\x01\x41", keyHead + "\x00\x00\x00\x01\x65", keyHead + "\x00\x00\x00\x01\x65",
			},
			[]string{
				plainConfig + made, plainConfig + strings.Replace(strings.Replace(made, sps, newSPS, 1), "\x64\x00\x1e\xff", "\x64\x00\x28\xff", 1),
				keyHead + "\x00\x00\x00\x05" + newSPS + "\x00\x00\x00\x01\x65", "\x27\x01\x00\x00\x00\x00\x00\x00\x01\x41",
				plainConfig + made, keyHead + "\x00\x00\x00\x01\x65", keyHead + "\x00\x00\x00\x01\x65",
			},
		},
		"a configuration without sets, and sets in band with lengths of two bytes": {
			[]string{plainConfig + "\x01\x64\x00\x1e\xfd\xe0\x00", keyHead + "\x00\x05" + sps + "\x00\x03" + pps + "\x00\x01\x65"},
			[]string{
				plainConfig + "\x01\x64\x00\x1e\xfd\xe0\x00", plainConfig + strings.Replace(made, "\xff", "\xfd", 1),
				keyHead + "\x00\x05" + sps + "\x00\x03" + pps + "\x00\x01\x65",
			},
		},
		"no configuration, and sets in band with lengths": {
			[]string{keyHead + "\x00\x00\x00\x05" + sps + "\x00\x00\x00\x03" + pps + "\x00\x00\x00\x01\x65"},
			[]string{plainConfig + made, keyHead + "\x00\x00\x00\x05" + sps + "\x00\x00\x00\x03" + pps + "\x00\x00\x00\x01\x65"},
		},
		"key frames that are not marked": {
			[]string{plainConfig + made, "\x27\x01\x00\x00\x00\x00\x00\x00\x01\x65", "\x27\x01\x00\x00\x00\x00\x00\x00\x01\x41", "\xb1avc1\x00\x00\x00\x00\x00\x00\x01\x65", "\x27\x01\x00\x00\x00" + long + "\x65"},
			[]string{plainConfig + made, keyHead + "\x00\x00\x00\x01\x65", "\x27\x01\x00\x00\x00\x00\x00\x00\x01\x41", "\x91avc1\x00\x00\x00\x00\x00\x00\x01\x65", keyHead + "\x00\x00\x00\x01\x65"},
		},
		"zero bytes behind units": {
			[]string{plainConfig + long + sps + long + pps, keyHead + long + "\x65\x88\x00\x00\x00" + long + "\x65\x89\x00\x00"},
			[]string{plainConfig + made, keyHead + "\x00\x00\x00\x02\x65\x88\x00\x00\x00\x02\x65\x89"},
		},
	} {
		var a AVC
		var got []string
		for _, body := range c.in {
			config, media := a.Next(NewTag(Video, 40, []byte(body)))
			for _, tag := range []Tag{config, media} {
				if tag != nil {
					got = append(got, string(tag.Body()))
					if tag.Timestamp() != 40 {
						t.Errorf("%s: at %d", name, tag.Timestamp())
					}
				}
			}
		}
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%s:\n%q, want\n%q", name, got, c.want)
		}
	}
}

func TestWhatIsNoOddAVCPasses(t *testing.T) {
	unit := strings.Repeat("x", 300)
	for name, bodies := range map[string][]string{
		"a unit whose length looks like a start code": {"\x17\x00\x00\x00\x00" + avcC, keyHead + "\x00\x00\x01\x2c" + unit},
		"a unit of one byte":                          {"\x17\x00\x00\x00\x00" + avcC, keyHead + "\x00\x00\x00\x01\x65"},
		"a parameter set that is cut":                 {"\x17\x00\x00\x00\x00" + avcC, keyHead + "\x00\x00\x00\x03\x67\x64\x00\x00\x00\x00\x02\x65\x88"},
		"a parameter set with no number":              {"\x17\x00\x00\x00\x00" + avcC, keyHead + "\x00\x00\x00\x06\x67\x64\x00\x28\x00\x10\x00\x00\x00\x02\x65\x88"},
		"HEVC":                                        {"\x91hvc1\x00\x00\x00" + long + "\x26\x01"},
		"AV1":                                         {"\x91av01" + long + "x"},
		"an empty picture":                            {keyHead},
		"a start code and nothing":                    {keyHead + long},
		"the end of a sequence":                       {"\x17\x02\x00\x00\x00"},
		"a command":                                   {"\x57\x00\x00\x00\x01"},
		"colour information":                          {"\x94avc1" + long},
	} {
		var a AVC
		for _, body := range bodies {
			tag := NewTag(Video, 0, []byte(body))
			if config, media := a.Next(tag); config != nil || !bytes.Equal(media, tag) {
				t.Errorf("%s: %q, %q", name, config, media)
			}
		}
	}
	var a AVC
	sound := NewTag(Audio, 0, []byte(long))
	if config, media := a.Next(sound); config != nil || !bytes.Equal(media, sound) {
		t.Error("sound does not pass")
	}
}

func FuzzAVC(f *testing.F) {
	f.Add([]byte(keyHead+long+sps+short+pps+short+"\x65\x88"), []byte("\x27\x01\x00\x00\x28"+short+"\x41\x9a"))
	f.Add([]byte("\x17\x00\x00\x00\x00"+made), []byte(keyHead+"\x00\x00\x00\x05"+newSPS+"\x00\x00\x00\x03"+secondPPS+"\x00\x00\x00\x01\x65"))
	f.Add([]byte("\x17\x00\x00\x00\x00"+long+sps+long+pps), []byte("\x91avc1\x00\x00\x50"+long+"\x65"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var a AVC
		var j Judge
		for _, body := range [][]byte{first, second} {
			config, media := a.Next(NewTag(Video, 0, body))
			if config != nil {
				if k := j.Next(config); k.Flaw != "" || !k.Config {
					t.Fatalf("%q is made, which is %+v", config.Body(), k)
				}
			}
			if media != nil {
				j.Next(media)
			}
		}
	})
}
