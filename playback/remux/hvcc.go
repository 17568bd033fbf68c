package remux

import "bytes"

// mendHEVC puts into the hvcC of an initialization what its record has of profile, compatibility, constraints, level and
// layers (ISO/IEC 14496-15, 8.3.3.1). The library copies the constraints from bytes of the SPS in which emulation
// prevention still is, a byte too early: players that name the codec by them, such as hls.js, name one that there is not.
func mendHEVC(init, record []byte) {
	const (
		general = 13 // bytes up to the level
		layers  = 21 // the byte of temporal layers, and how long lengths are
		lengths = 0b11
	)
	_, box, ok := bytes.Cut(init, []byte("hvcC"))
	if !ok || len(record) <= layers || len(box) <= layers {
		return
	}
	copy(box[:general], record)
	box[layers] = record[layers]&^lengths | box[layers]&lengths
}
