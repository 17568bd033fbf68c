package flv

// MaxText is the longest of [Texts], in characters.
const MaxText = 255

// Texts are what onMetaData says of a channel besides its title, for lists of channels: each a printable line of
// at most [MaxText] characters, "" if it was not said.
type Texts struct {
	Genre, Description, Comment string
	Contact                     string // the address of a page, on the stranger's word
}

// textFields are their properties, in order. The first three are as ffmpeg writes a file's tags.
var textFields = [...]string{"genre", "description", "comment", "contact"}

func (t *Texts) all() [len(textFields)]*string {
	return [...]*string{&t.Genre, &t.Description, &t.Comment, &t.Contact}
}

// DescribeTexts reads a header's payload. It never fails, as [Describe].
func DescribeTexts(headerPayload []byte) (t Texts) {
	for tag := range Tags(headerPayload) {
		if tag.Type() != Script {
			continue
		}
		fields := metadataFields(tag.Body())
		for i, text := range t.all() {
			s, _ := fields[textFields[i]].(string)
			*text = shortLine(s, MaxText)
		}
	}
	return t
}

// SetTexts returns an onMetaData's script body that says these texts, cleaned; those that are "" stay as the body
// has them. The rest of the body is treated as by [SetTitle].
func SetTexts(body []byte, t Texts) []byte {
	for i, text := range t.all() {
		if *text != "" {
			body = setProperty(body, textFields[i], amfText(shortLine(*text, MaxText)))
		}
	}
	return body
}

// FillIn takes those that are "" from a header's payload.
func (t *Texts) FillIn(headerPayload []byte) {
	said := DescribeTexts(headerPayload)
	from := said.all()
	for i, text := range t.all() {
		if *text == "" {
			*text = *from[i]
		}
	}
}
