// Starts Swagger UI on /docs: a file, since the policy of the page allows no script within it.
SwaggerUIBundle({ url: "/docs/openapi.json", dom_id: "#page", validatorUrl: null, persistAuthorization: true });
