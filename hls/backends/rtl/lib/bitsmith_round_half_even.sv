// Second half of rounding half to even.  x is the exact number plus one half, SHIFT fraction bits:
// its integer part is the number rounded half up; on a tie (no fraction left) an odd result becomes
// the even one below it.
module bitsmith_round_half_even #(
    parameter int WX    = 8,  // at least SHIFT + 1
    parameter int SHIFT = 1,
    parameter int WY    = 7
) (
    input  logic signed [WX-1:0] x,
    output logic signed [WY-1:0] y
);
  localparam int WHOLE = WX - SHIFT;

  logic [WY+WHOLE-1:0] whole;  // the integer part, extended by its sign
  logic                tie;

  assign whole = {{WY{x[WX-1]}}, x[WX-1:SHIFT]};
  assign tie   = ~|x[SHIFT-1:0];

  if (WY == 1) begin : g_bit
    assign y = whole[0] & ~tie;
  end else begin : g_bits
    assign y = {whole[WY-1:1], whole[0] & ~tie};
  end

  logic unused_top;
  assign unused_top = ^whole;
endmodule
