// Whether x is below LO or above HI.  A bound of a bit width (0, -2^k, 2^k - 1) is tested on the upper bits
// alone, any other by a comparator.
module bitsmith_bounds #(
    parameter int                 WX       = 8,
    parameter logic               CLIP_LO  = 1'b1,  // whether x can be below LO at all
    parameter logic               CLIP_HI  = 1'b1,  // whether x can be above HI at all
    parameter logic signed [63:0] LO       = 64'sd0,
    parameter logic signed [63:0] HI       = 64'sd15
) (
    input  logic signed [WX-1:0] x,
    output logic                 below,
    output logic                 above
);
  localparam int KLO = $clog2(-LO);  // -LO is 2^KLO where LO is such a bound
  localparam int KHI = $clog2(HI + 64'sd1);

  if (!CLIP_LO) begin : g_lo_never
    assign below = 1'b0;
  end else if (LO == 64'sd0) begin : g_lo_sign
    assign below = x[WX-1];
  end else if (LO == -(64'sd1 <<< KLO) && KLO < WX - 1) begin : g_lo_bits
    assign below = x[WX-1] && !(&x[WX-2:KLO]);
  end else begin : g_lo_compare
    assign below = x < $signed(LO[WX-1:0]);
  end

  if (!CLIP_HI) begin : g_hi_never
    assign above = 1'b0;
  end else if (HI == (64'sd1 <<< KHI) - 64'sd1 && KHI < WX - 1) begin : g_hi_bits
    assign above = !x[WX-1] && (|x[WX-2:KHI]);
  end else begin : g_hi_compare
    assign above = x > $signed(HI[WX-1:0]);
  end

  logic unused;
  assign unused = ^x;
endmodule
