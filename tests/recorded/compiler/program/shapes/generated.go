package shapes

//line grammar.y:10
func Parsed(n int) *int { return &n }

//line /elsewhere/other.y:20:5
func ParsedElsewhere(n int) *int { return &n }
