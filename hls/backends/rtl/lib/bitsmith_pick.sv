// What the products of one lane take from a step: inputs out of the beat, weights out of the ROM's word.
// INDEX > 0: the word holds indices into CODEBOOK.  M > 1: of every M inputs N have a weight; each code in the word
// has the place of its input above it.  Combinational.
module bitsmith_pick #(
    parameter int SIMD  = 4,
    parameter int WA    = 4,
    parameter int WW    = 4,
    parameter int INDEX = 0,  // bits of an index
    parameter logic [(1<<INDEX)*WW-1:0] CODEBOOK = '0,  // index 0 in the lowest bits
    parameter int N     = 1,
    parameter int M     = 1
) (
    input  logic [SIMD*WA-1:0] beat,
    input  logic [SIMD/M*N*((INDEX > 0 ? INDEX : WW) + $clog2(M))-1:0] word,
    output logic [SIMD/M*N*WA-1:0] a,
    output logic [SIMD/M*N*WW-1:0] w
);
  localparam int WC = INDEX > 0 ? INDEX : WW;
  localparam int WP = $clog2(M);

  for (genvar i = 0; i < SIMD / M * N; i++) begin : g_product
    logic [WC-1:0] code;
    assign code = word[i*(WC+WP)+:WC];

    if (INDEX > 0) begin : g_book
      assign w[i*WW+:WW] = CODEBOOK[code*WW+:WW];
    end else begin : g_plain
      assign w[i*WW+:WW] = code;
    end

    if (M > 1) begin : g_place
      logic [WP-1:0]   place;
      logic [M*WA-1:0] run;
      assign place = word[i*(WC+WP)+WC+:WP];
      assign run   = beat[i/N*M*WA+:M*WA];
      assign a[i*WA+:WA] = run[place*WA+:WA];
    end else begin : g_same
      assign a[i*WA+:WA] = beat[i*WA+:WA];
    end
  end
endmodule
